// Mutual TLS 1.3 between nodes. All calls into OpenSSL that can fail are in tls.cpp, and empty the error queue first:
// all sessions of a thread share the queue, so the failure of one session would otherwise end another.
#pragma once

#include "runtime/transport/channel.hpp"
#include "runtime/transport/frame_guard.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::net {

struct tls_files {
  /// This node's certificate and the intermediate certificates up to the CA, PEM.
  std::filesystem::path cert;
  /// Its private key, PEM, without a passphrase. Others must not have access to the file.
  std::filesystem::path key;
  /// The CA that must have signed the certificates of the other nodes, PEM.
  std::filesystem::path ca;
};

struct tls_options {
  tls_files files;
  /// A DNS name that the other end's certificate must have as a subject alternative name (exact match) ...
  std::string cluster_name;
  /// ... or one of these.
  std::vector<std::string> allowed_names;
  /// What this process's certificate must allow. `load` rejects a certificate that every peer would reject.
  bool dials = true;
  bool accepts = false;
};

/// The files are unusable. `what()` names the file and the reason.
class tls_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A running TLS handshake. Not thread-safe. The caller keeps ownership of the socket.
class tls_handshake {
 public:
  enum class state { wants_read, wants_write, done, failed };
  virtual ~tls_handshake() = default;
  /// Continues as far as the socket allows.
  virtual state step() = 0;
  /// Why it failed, for the log.
  virtual const std::string& problem() const = 0;
  /// Call this once the handshake is done. The object must not be used afterwards.
  virtual std::unique_ptr<channel> take_channel() = 0;
};

/// What a process presents and demands in its TLS handshakes. Immutable, so it is thread-safe, and existing sessions
/// survive a renewal.
class tls_context {
 public:
  /// Reads the files. Throws tls_error.
  static std::shared_ptr<const tls_context> load(const tls_options& options);
  virtual ~tls_context() = default;
  virtual std::unique_ptr<tls_handshake> begin(side here, int socket) const = 0;
  /// Describes this process's certificate for the log: subject alternative names and the end of its validity.
  virtual std::string description() const = 0;
  struct validity {
    std::chrono::system_clock::time_point begin;
    std::chrono::system_clock::time_point end;
  };
  /// The validity of this process's certificate.
  virtual validity valid() const = 0;
};

/// A value that changes when any of the files is written or replaced. A missing file counts as a state too.
std::string fingerprint(const tls_files& files);

/// The content of a private file of at most 64 KiB. Throws tls_error, which gives `what` and the path, if the file
/// cannot be read, or if others have access to it.
std::string read_private_file(const char* what, const std::filesystem::path& path);

} // namespace troupe::net

// Mutual TLS 1.3 between nodes. Every call into OpenSSL that can fail is in tls.cpp, with its rule about the error
// queue: the queue is per thread and shared by all sessions of it, so it is emptied before each call, or one session's
// failure would end another.
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
  /// This node's certificate with what leads to the CA, PEM.
  std::filesystem::path cert;
  /// Its private key, PEM, without a passphrase. Must not be accessible for others.
  std::filesystem::path key;
  /// Who must have signed the certificates of the other nodes, PEM.
  std::filesystem::path ca;
};

struct tls_options {
  tls_files files;
  /// A DNS name that the other end's certificate must carry as subject alternative name, exactly ...
  std::string cluster_name;
  /// ... or one of these.
  std::vector<std::string> allowed_names;
  /// What the own certificate must be for: `load` refuses one that every peer would refuse.
  bool dials = true;
  bool accepts = false;
};

/// The files are unusable; `what()` names the file and why.
class tls_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A handshake on its way. Used by one thread at a time; the socket stays the caller's.
class tls_handshake {
 public:
  enum class state { wants_read, wants_write, done, failed };
  virtual ~tls_handshake() = default;
  /// Goes on as far as the socket allows.
  virtual state step() = 0;
  /// Why it failed, for a log.
  virtual const std::string& problem() const = 0;
  /// Once it is done; ends this object's use.
  virtual std::unique_ptr<channel> take_channel() = 0;
};

/// What a process shows and demands in its TLS handshakes. Immutable: thread-safe, and sessions outlive a renewal.
class tls_context {
 public:
  /// Reads the files. Throws tls_error.
  static std::shared_ptr<const tls_context> load(const tls_options& options);
  virtual ~tls_context() = default;
  virtual std::unique_ptr<tls_handshake> begin(side here, int socket) const = 0;
  /// Of this node's own certificate, for a log: subject alternative names and the end of its validity.
  virtual std::string description() const = 0;
  struct validity {
    std::chrono::system_clock::time_point begin;
    std::chrono::system_clock::time_point end;
  };
  /// Of the own certificate.
  virtual validity valid() const = 0;
};

/// Tells a change of any of the files; equal as long as none is written or replaced. A missing file counts as one
/// state.
std::string fingerprint(const tls_files& files);

/// A private file's content, of at most 64 KiB. Throws tls_error with `what` it is and the path if it cannot be read,
/// or if others can.
std::string read_private_file(const char* what, const std::filesystem::path& path);

} // namespace troupe::net

// Creates certificates for tests.
#pragma once

#include "runtime/transport/tls.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

using test::temporary_folder;

/// Creates the file so that only its owner can read it.
void write_private(const std::filesystem::path& to, std::string_view content);
std::string read_all(const std::filesystem::path& from);

inline constexpr const char* cluster_name = "cluster.test";

/// What a certificate may be used for (extended key usage).
enum class usage { both, server, client, unsaid };

struct certificate_wish {
  /// Subject alternative names.
  std::vector<std::string> names = {cluster_name};
  usage allowed = usage::both;
  /// In the syntax of OpenSSL's configuration. Null: none.
  const char* key_usage = nullptr;
  /// Begin and end of its validity, relative to now.
  std::chrono::seconds begins{-3600};
  std::chrono::seconds ends{3600};
};

/// Signs certificates with P-256 keys and writes them into a folder. Its certificate is NAME.ca.pem.
class authority {
 public:
  authority(const temporary_folder& folder, std::string name);
  ~authority();

  /// Writes NAME.cert.pem and NAME.key.pem, replacing existing files.
  tls_files issue(const std::string& name, const certificate_wish& wish = {}) const;
  /// An intermediate authority, signed by this one. The certificates that it issues include the chain.
  authority intermediate(const std::string& name) const;
  const std::filesystem::path& certificate() const { return certificate_; }

 private:
  struct keys;
  authority(const temporary_folder& folder, std::string name, const authority* parent);

  const temporary_folder& folder_;
  std::string name_;
  std::filesystem::path certificate_;
  /// The certificates from this authority up to the trusted one (exclusive), this one first, PEM.
  std::string chain_;
  std::unique_ptr<keys> keys_;
};

/// A private key, PEM, encrypted with a passphrase.
std::string locked_key(const std::string& passphrase);

/// The TLS options of a cluster node with these files.
tls_options options_for(const tls_files& files);

} // namespace troupe::net::testing

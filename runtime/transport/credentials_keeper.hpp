// A process's credentials, kept up to date with their files.
#pragma once

#include "runtime/transport/opening.hpp"
#include "runtime/transport/sockets.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace troupe::net {

struct credentials_files {
  /// Without a value: no TLS.
  std::optional<tls_options> tls;
  /// Empty: no cluster secret. White space at the end of the file is ignored.
  std::filesystem::path secret;
  /// Warn about a certificate that expires within this time. Without a value: a third of its whole validity, but at
  /// most a week.
  std::optional<std::chrono::seconds> expiry_warning = {};
};

/// Thread-safe.
class credentials_keeper {
 public:
  /// Reads the files. Throws std::runtime_error if they are unusable.
  explicit credentials_keeper(credentials_files files);

  credentials current() const;

  /// Declares that the process now accepts connections too. Throws std::runtime_error if its certificate does not allow
  /// that. Later renewals must allow it too, or they are rejected.
  void begin_to_accept();

  /// When this process's certificate expires. Without a value if TLS is off.
  std::optional<std::chrono::system_clock::time_point> certificate_end() const;

  /// Call this every few seconds. It loads changed files. If they are unusable, the old ones stay in use, and `warn` is
  /// called, and again every minute. `warn` is also called once a day while a certificate is about to expire. Existing
  /// links are not affected.
  void poll(steady_time now, const std::function<void(const std::string&)>& warn);
  /// A `poll` that is waiting for a file loads nothing after this call.
  void end() noexcept { ended_ = true; }

 private:
  using listener = std::function<void(const std::string&)>;
  void renew(steady_time now, const listener& say);
  void warn_of_expiry(steady_time now, const listener& say);

  tls_options tls_to_load() const;

  const credentials_files files_;
  mutable std::mutex mutex_;
  bool accepts_ = false;
  std::atomic<bool> ended_ = false;
  credentials now_;
  std::string seen_;
  bool failing_ = false;
  steady_time warned_at_{};
  /// When `warn` was last called about the expiry of the current certificate.
  std::optional<steady_time> expiry_warned_at_;
};

} // namespace troupe::net

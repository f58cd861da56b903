// A process's credentials, kept up to date with the files they come from.
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
  /// Not set: no TLS.
  std::optional<tls_options> tls;
  /// Empty: no cluster secret. White space at the file's end does not count.
  std::filesystem::path secret;
  /// A certificate that expires sooner is warned of. Not set: in a third of its whole time, or a week if that is less.
  std::optional<std::chrono::seconds> expiry_warning = {};
};

/// Thread-safe.
class credentials_keeper {
 public:
  /// Reads the files. Throws std::runtime_error when they are unusable.
  explicit credentials_keeper(credentials_files files);

  credentials current() const;

  /// From now on the process accepts connections too. Throws std::runtime_error when its certificate is not for that;
  /// one that is not is not taken over later.
  void begin_to_accept();

  /// When the own certificate expires; not set without TLS.
  std::optional<std::chrono::system_clock::time_point> certificate_end() const;

  /// To be called every few seconds: takes changed files over. When they are unusable the old ones stay in use, and
  /// `warn` is told so, again once a minute; so it is, once a day, of a certificate that expires soon. Other links are
  /// not touched by any of it.
  void look(steady_time now, const std::function<void(const std::string&)>& warn);
  /// A look that waits for a file loads none of them afterwards.
  void end() noexcept { ended_ = true; }

 private:
  using listener = std::function<void(const std::string&)>;
  void renew(steady_time now, const listener& say);
  void mind_expiry(steady_time now, const listener& say);

  tls_options tls_to_load() const;

  const credentials_files files_;
  mutable std::mutex mutex_;
  bool accepts_ = false;
  std::atomic<bool> ended_ = false;
  credentials now_;
  std::string seen_;
  bool failing_ = false;
  steady_time warned_at_{};
  /// Of expiry, with the certificate in use.
  std::optional<steady_time> expiry_told_at_;
};

} // namespace troupe::net

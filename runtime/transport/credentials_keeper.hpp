// A process's credentials, kept up to date with the files they come from.
#pragma once

#include "runtime/transport/opening.hpp"
#include "runtime/transport/sockets.hpp"

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
};

/// Thread-safe.
class credentials_keeper {
 public:
  /// Reads the files. Throws std::runtime_error when they are unusable.
  explicit credentials_keeper(credentials_files files);

  credentials current() const;

  /// To be called every few seconds: takes changed files over. When they are unusable the old ones stay in use, and
  /// `warn` is told so, again once a minute. Other links are not touched by either.
  void look(steady_time now, const std::function<void(const std::string&)>& warn);

 private:
  const credentials_files files_;
  mutable std::mutex mutex_;
  credentials now_;
  std::string seen_;
  bool failing_ = false;
  steady_time warned_at_{};
};

} // namespace troupe::net

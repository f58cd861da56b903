// Checks a process's TLS files every few seconds on its own thread, so that a file system that hangs delays neither
// connections nor the end of the transport.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// When the watch ends while its thread hangs in `poll`, the thread stays behind.
class credentials_watch {
 public:
  using listener = std::function<void(const std::string&)>;
  static constexpr std::chrono::milliseconds usual_pace{2000};

  /// Calls `poll` every `pace`. `poll` must own everything that it uses. It reports through its argument, which calls
  /// `warn` as long as the watch exists. Throws std::system_error if no thread can be started.
  credentials_watch(std::function<void(const listener&)> poll, listener warn,
                    std::chrono::milliseconds pace = usual_pace);
  credentials_watch(const credentials_watch&) = delete;
  /// Number of running calls of `poll`, of all watches, including watches that have ended.
  static int running_polls() noexcept;
  /// Never waits for `poll`. `warn` is not called after this returns.
  ~credentials_watch();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

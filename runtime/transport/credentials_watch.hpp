// Looks at a process's TLS files every few seconds, on a thread of its own: a file system that hangs holds up neither
// connections nor the end of the transport.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace troupe::net {

/// A thread that hangs in `look` is left to itself when the watch ends.
class credentials_watch {
 public:
  using listener = std::function<void(const std::string&)>;
  static constexpr std::chrono::milliseconds usual_pace{2000};

  /// Calls `look` every `pace` from then on. It must own what it uses, and passes on what it has to say by its
  /// argument, which calls `warn` as long as the watch lives. Throws std::system_error when no thread can be started.
  credentials_watch(std::function<void(const listener&)> look, listener warn,
                    std::chrono::milliseconds pace = usual_pace);
  credentials_watch(const credentials_watch&) = delete;
  /// Calls of `look` that go on, of all watches, also of those that have ended.
  static int looks_under_way() noexcept;
  /// Never waits for `look`. `warn` is not called any more afterwards.
  ~credentials_watch();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::net

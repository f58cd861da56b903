// SIGINT and SIGTERM as an ordinary event, also for process 1 of a container, which the kernel does not end by them.
#pragma once

#include <functional>

namespace troupe {

/// Make one in the first line of `main`, before any other thread: from then on neither signal is lost, nor ends the
/// process by itself. SIGPIPE is ignored too. SIGHUP is left alone: by default it ends the process at once.
class stop_signals {
 public:
  stop_signals();
  stop_signals(const stop_signals&) = delete;

  /// Blocks until one of them arrives.
  void wait() const;
  /// As if one had arrived. Any thread.
  void raise() const;
  /// Calls `stop` once, on a thread of its own, when one arrives; at once if it has. Instead of `wait`, and at most
  /// once.
  void then(std::function<void()> stop) const;
};

} // namespace troupe

// SIGINT and SIGTERM as ordinary events. This also works in process 1 of a container, which the kernel does not end by
// these signals.
#pragma once

#include <functional>

namespace troupe {

/// Create one in the first line of `main`, before any other thread starts. From then on neither signal is lost, and
/// neither ends the process by itself. SIGPIPE is ignored too. SIGHUP keeps its default, which ends the process at
/// once.
class stop_signals {
 public:
  stop_signals();
  stop_signals(const stop_signals&) = delete;

  /// Blocks until one of them arrives.
  void wait() const;
  /// Acts as if a signal had arrived. Thread-safe.
  void raise() const;
  /// Calls `stop` once, on a separate thread, when a signal arrives, or at once if one already has. Use this instead of
  /// `wait`, and at most once.
  void then(std::function<void()> stop) const;
};

} // namespace troupe

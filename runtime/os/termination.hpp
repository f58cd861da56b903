// Ends a program at a signal and within a time limit, even if its threads hang.
#pragma once

#include "runtime/os/stop_signals.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

/// Limits the time from a signal to the end of the process. A separate thread waits for the signal, so it is noticed
/// even while main hangs in a call to the disk. If the process has not ended within the limit, it ends with a line on
/// standard error and exit code 1: a thread cannot be removed from a disk that does not answer.
class termination {
 public:
  /// `signals` must outlive this object, and nothing else may wait for it. The line starts with `program`.
  termination(const stop_signals& signals, std::string program, std::chrono::milliseconds limit);
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

  /// Takes effect with the next signal.
  void set_limit(std::chrono::milliseconds limit);
  /// Returns when a signal has been received. Thread-safe.
  void wait();
  /// Requests the end, as a signal does. Thread-safe.
  void request();
  /// Ends the process at once, with a line that gives the reason.
  [[noreturn]] void leave(const std::string& why);

 private:
  struct state;
  const stop_signals& signals_;
  std::shared_ptr<state> state_;
};

} // namespace troupe

// How a program ends: at a signal, and in time, whatever its threads wait for.
#pragma once

#include "runtime/os/stop_signals.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

/// Bounds the time from a signal to the end of the process. A thread of its own waits for the signal, so that it is
/// heard while main hangs in a call to the disk. When the process has not ended within the limit, it is ended with a
/// line on standard error and exit code 1: no thread can be got out of a disk that does not answer.
class termination {
 public:
  /// `signals` must outlive this, and is not waited for otherwise. `program` begins the line.
  termination(const stop_signals& signals, std::string program, std::chrono::milliseconds limit);
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

  /// Takes effect with the next signal.
  void set_limit(std::chrono::milliseconds limit);
  /// Returns when a signal was received. Thread-safe.
  void wait();
  /// As a signal would. Thread-safe.
  void request();
  /// Ends the process at once, with such a line.
  [[noreturn]] void leave(const std::string& why);

 private:
  struct state;
  const stop_signals& signals_;
  std::shared_ptr<state> state_;
};

} // namespace troupe

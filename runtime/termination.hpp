// How a program ends: at a signal, and in time, whatever its threads wait for.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

/// Made by main before it starts any thread, as long as the program runs. Blocks SIGTERM and SIGINT in this thread and
/// in those started later, and waits for them in a thread of its own: also while main itself hangs in a call to the
/// disk. The first of them starts a limit of time. When the process has not ended by then, it is ended with a line on
/// standard error and exit code 1: no thread can be got out of a disk that does not answer.
class termination {
 public:
  /// `program` begins the line.
  termination(std::string program, std::chrono::milliseconds limit);
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
  std::shared_ptr<state> state_;
};

} // namespace troupe

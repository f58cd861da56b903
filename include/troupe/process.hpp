// How a program that runs a node starts and ends: signals, a bounded shutdown, lack of memory.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Turns SIGINT and SIGTERM into an ordinary event, also for process 1 of a container, which the kernel does not end by
/// them. Make one in the first line of `main`, before any other thread: from then on neither signal is lost, nor ends
/// the process by itself. SIGPIPE is ignored too. SIGHUP keeps its default, which ends the process.
class stop_signals {
 public:
  stop_signals();
  stop_signals(const stop_signals&) = delete;

  /// Blocks until one of them arrives.
  void wait() const;
  /// Acts as if one had arrived. Thread-safe.
  void raise() const;
  /// Calls `stop` once, on a thread of its own, when one arrives; at once if it has. Use it instead of `wait`, at most
  /// once.
  void then(std::function<void()> stop) const;
};

/// Bounds the time from a signal to the end of the process. A thread of its own waits for the signal, so that it is
/// noticed while main hangs in a call to the disk. If the process has not ended within the limit, it is ended with a
/// line on standard error and exit code 1: a thread cannot be freed from a disk that does not answer.
class termination {
 public:
  /// `signals` must outlive this, and must not be waited for otherwise. `program` starts the line.
  termination(const stop_signals& signals, std::string program, std::chrono::milliseconds limit);
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

  /// Takes effect with the next signal.
  void set_limit(std::chrono::milliseconds limit);
  /// Returns when a signal was received. Thread-safe.
  void wait();
  /// Acts as a signal would. Thread-safe.
  void request();
  /// Ends the process at once, with such a line.
  [[noreturn]] void leave(const std::string& why);

 private:
  struct state;
  const stop_signals& signals_;
  std::shared_ptr<state> state_;
};

/// From now on an allocation that fails ends this process at once, with a line on standard error and exit code 1: as a
/// crash would, so that nothing continues in part. Call it first in `main`. It sets C++'s new-handler for the whole
/// process, so the library never calls it by itself. Without it, an actor that runs out of memory ends with an error,
/// and its node, or its replica, with it.
void end_process_without_memory(const char* program);

/// True while a thread of a transport that has ended still runs, for example because it hangs in a call to a disk. Such
/// a thread may use the log and OpenSSL: end the process with _exit then, do not return from main. Thread-safe. Needs
/// the whole library (troupe::troupe).
bool threads_are_left() noexcept;

} // namespace troupe

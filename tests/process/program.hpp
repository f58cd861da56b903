// Runs a child process.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::testing {

/// False with AddressSanitizer: it keeps freed memory, so resident memory does not show how much a program uses.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool memory_is_measurable = false;
#else
inline constexpr bool memory_is_measurable = true;
#endif

/// Runs from construction until it exits or this object is destroyed, which sends SIGKILL. So does the death of this
/// process. Only the main thread may start it: Linux kills a child when the thread that started it ends.
class program {
 public:
  /// Appends standard output and standard error to `log`.
  program(std::vector<std::string> command, const std::filesystem::path& log);
  ~program();
  program(const program&) = delete;

  pid_t pid() const { return pid_; }
  /// Resident memory in bytes; 0 after its exit.
  std::size_t resident_bytes() const;
  bool running() { return !wait(std::chrono::milliseconds{0}).has_value(); }
  /// Sends a signal. Does nothing if the process has exited.
  void signal(int number);
  /// Sends SIGKILL, which acts like a crash, and returns when the process has ended.
  void kill();
  /// Waits for the exit and returns the exit code, or the negative number of the signal that ended the process. Empty
  /// if that takes longer than `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience);

 private:
  pid_t pid_ = -1;
  /// Becomes readable when the process ends.
  int ended_ = -1;
  std::optional<int> code_;
};

/// Runs a program until it exits and returns its exit code. Returns -SIGKILL if it takes longer than 30 s.
int run(std::vector<std::string> command, const std::filesystem::path& log);

} // namespace troupe::testing

// A child process.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::testing {

/// AddressSanitizer keeps what is freed, so that a program's resident memory says nothing of what it holds.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool memory_is_measurable = false;
#else
inline constexpr bool memory_is_measurable = true;
#endif

/// Runs from construction until it ends by itself or with this object (by SIGKILL, also if this process is killed). To
/// be started by the main thread alone: Linux ends a child with the thread that made it.
class program {
 public:
  /// Output and errors are appended to `log`.
  program(std::vector<std::string> command, const std::filesystem::path& log);
  ~program();
  program(const program&) = delete;

  pid_t pid() const { return pid_; }
  /// Resident memory, in bytes; 0 once it has ended.
  std::size_t resident_bytes() const;
  bool running() { return !wait(std::chrono::milliseconds{0}).has_value(); }
  /// Does nothing to a process that has ended.
  void signal(int number);
  /// SIGKILL, as a crash would be; returns when it has ended.
  void kill();
  /// The exit code once it has ended, minus the signal's number if one ended it; nothing if that takes longer.
  std::optional<int> wait(std::chrono::milliseconds patience);

 private:
  pid_t pid_ = -1;
  /// Becomes readable when the process ends.
  int ended_ = -1;
  std::optional<int> code_;
};

/// Runs a program to its end; -SIGKILL if that takes longer than 30 s.
int run(std::vector<std::string> command, const std::filesystem::path& log);

} // namespace troupe::testing

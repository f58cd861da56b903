// Takes log lines from any thread and writes them on its own thread, so that no other thread waits for the reader of
// the log.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe {

/// Lines wait in a queue that is bounded in bytes. When the queue is full, lines are dropped and counted. Once there is
/// room again, a line reports how many are missing. Thread-safe.
///
/// The object must outlive its thread, which may hang in a write forever. Allocate it with `new` and never delete it.
class log_writer {
 public:
  /// Writes to `fd`, which stays open and may be blocking or non-blocking. Starts the thread.
  explicit log_writer(int fd, std::size_t max_bytes = std::size_t{1} << 20);
  log_writer(const log_writer&) = delete;

  /// Never waits for the reader. `line` includes its line end.
  void write(std::string_view line);
  /// Waits until everything is written. Gives up and returns false if nothing is written for `patience`.
  bool flush(std::chrono::milliseconds patience);
  /// Number of lines since the start that were dropped or could not be written.
  std::uint64_t dropped() const;

 private:
  void run();
  void write_out(std::string_view text);

  const int fd_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable progress_;
  /// Complete lines only.
  std::string queue_;
  std::uint64_t dropped_ = 0;
  /// Dropped lines that the log does not report yet.
  std::uint64_t unreported_ = 0;
  bool writing_ = false;
  std::uint64_t blocks_written_ = 0;
};

} // namespace troupe

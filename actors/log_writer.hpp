// Takes log lines from any thread and writes them on a thread of its own, so that no other thread waits for the
// reader of the log.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe {

/// Lines wait in a queue that is bounded in bytes. A line that finds it full is dropped and counted; when there is room
/// again, a line says how many are missing. Thread-safe.
///
/// The object must outlive its thread, which may hang in a write for ever: make it with `new`, and leave it.
class log_writer {
 public:
  /// Writes to `fd`, which stays open and may be blocking or non-blocking. Starts the thread.
  explicit log_writer(int fd, std::size_t max_bytes = std::size_t{1} << 20);
  log_writer(const log_writer&) = delete;

  /// Never blocks for the reader. `line` with its line end.
  void write(std::string_view line);
  /// Waits until everything is written, as long as something is written within `patience`. False if that ended it.
  bool flush(std::chrono::milliseconds patience);
  /// Lines that were dropped since the start, and lines that could not be written.
  std::uint64_t dropped() const;

 private:
  void run();
  void write_out(std::string_view text);

  const int fd_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable progress_;
  /// Whole lines.
  std::string queue_;
  std::uint64_t dropped_ = 0;
  /// Of these the log does not tell yet.
  std::uint64_t untold_ = 0;
  bool writing_ = false;
  std::uint64_t blocks_written_ = 0;
};

} // namespace troupe

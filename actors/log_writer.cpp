#include "actors/log_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <thread>
#include <utility>

namespace troupe {
namespace {

/// No larger than what a pipe takes at once, so that a slow reader still makes visible progress.
constexpr std::size_t block = 4096;

} // namespace

log_writer::log_writer(int fd, std::size_t max_bytes) : fd_(fd), max_bytes_(max_bytes) {
  // A broken pipe must cause an error, not a signal. Signals to the process are for other threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void log_writer::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() + line.size() > max_bytes_) {
    ++dropped_;
    ++unreported_;
    return;
  }
  if (unreported_ > 0)
    queue_ +=
        "(" + std::to_string(std::exchange(unreported_, 0)) + " lines are missing: the log was not read in time)\n";
  queue_ += line;
  arrived_.notify_one();
}

bool log_writer::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  while (!queue_.empty() || writing_) {
    const auto before = blocks_written_;
    if (!progress_.wait_for(lock, patience, [&] { return blocks_written_ != before || (queue_.empty() && !writing_); }))
      return false;
  }
  return true;
}

std::uint64_t log_writer::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void log_writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return !queue_.empty(); });
    const auto text = std::exchange(queue_, {});
    writing_ = true;
    lock.unlock();
    write_out(text);
    lock.lock();
    writing_ = false;
    progress_.notify_all();
  }
}

void log_writer::write_out(std::string_view text) {
  while (!text.empty()) {
    const auto size = ::write(fd_, text.data(), std::min(text.size(), block));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) { // another process may have made it non-blocking
      pollfd room{fd_, POLLOUT, 0};
      ::poll(&room, 1, -1);
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (size < 0) { // there is no reader, and there will not be one
      dropped_ += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(size));
    ++blocks_written_;
    progress_.notify_all();
  }
}

} // namespace troupe

#include "runtime/os/last_line.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstring>
#include <poll.h>
#include <pthread.h>
#include <semaphore>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::chrono::milliseconds patience{100};

// Static, because there may be no memory later.
std::atomic_flag begun;
char text[longest_last_line];
std::size_t text_size = 0;
std::binary_semaphore written{0};

/// A write to a file blocks on its disk, and a write to a pipe on its reader, without a limit. So a thread does it.
void* write_text(void*) {
  static_cast<void>(!::write(STDERR_FILENO, text, text_size));
  written.release();
  return nullptr;
}

bool start_writer() noexcept {
  pthread_attr_t small;
  if (::pthread_attr_init(&small) != 0) return false;
  constexpr std::size_t stack = 256 * 1024;
  ::pthread_attr_setstacksize(&small, stack);
  ::pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  pthread_t writer;
  const bool started = ::pthread_create(&writer, &small, write_text, nullptr) == 0;
  ::pthread_attr_destroy(&small);
  return started;
}

} // namespace

void write_last_line(const char* line, std::size_t size) noexcept {
  static_assert(longest_last_line <= PIPE_BUF, "a pipe with room takes all of it at once");
  // If another thread is already ending the process, only its line is written.
  if (!begun.test_and_set()) {
    text_size = std::min(size, longest_last_line);
    std::memcpy(text, line, text_size);
    if (!start_writer()) {
      // Without a thread a disk that hangs could delay the end of the process; a reader cannot.
      pollfd out{STDERR_FILENO, POLLOUT, 0};
      if (::poll(&out, 1, static_cast<int>(patience.count())) == 1 && (out.revents & POLLOUT) != 0) write_text(nullptr);
      return;
    }
  }
  if (written.try_acquire_for(patience)) written.release();
}

} // namespace troupe

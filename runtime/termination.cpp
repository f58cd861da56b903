#include "runtime/termination.hpp"

#include <algorithm>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <poll.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace troupe {
namespace {

constexpr int failure = 1;

sigset_t ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  return ending;
}

/// Neither allocates nor waits: the reader of standard error may hang as well.
[[noreturn]] void end_with(std::string line) {
  line.resize(std::min<std::size_t>(line.size(), PIPE_BUF - 1));
  line += '\n';
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) == 1) static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  ::_exit(failure);
}

} // namespace

struct termination::state {
  std::string program;
  std::mutex mutex;
  std::condition_variable changed;
  std::chrono::milliseconds limit{};
  bool asked = false;
};

termination::termination(std::string program, std::chrono::milliseconds limit) : state_(std::make_shared<state>()) {
  state_->program = std::move(program);
  state_->limit = limit;
  const auto ending = ending_signals();
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  // Not joined: it ends with the process.
  std::thread{[shared = state_, ending] {
    int received = 0;
    sigwait(&ending, &received);
    std::unique_lock lock{shared->mutex};
    shared->asked = true;
    shared->changed.notify_all();
    const auto patience = shared->limit;
    lock.unlock();
    std::this_thread::sleep_for(patience);
    end_with(shared->program + ": it has not ended within " + std::to_string(patience.count()) +
             " ms of the signal to end, as some thread waits for a disk or a service: ended without it");
  }}.detach();
}

void termination::set_limit(std::chrono::milliseconds limit) {
  const std::lock_guard lock{state_->mutex};
  state_->limit = limit;
}

void termination::wait() {
  std::unique_lock lock{state_->mutex};
  state_->changed.wait(lock, [this] { return state_->asked; });
}

void termination::request() { ::kill(::getpid(), SIGTERM); }

void termination::leave(const std::string& why) { end_with(state_->program + ": " + why); }

} // namespace troupe

#include <troupe/process.hpp>

#include <csignal>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace troupe {
namespace {

sigset_t ending() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

} // namespace

stop_signals::stop_signals() {
  const auto set = ending();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void stop_signals::wait() const {
  const auto set = ending();
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
}

void stop_signals::raise() const { ::kill(::getpid(), SIGTERM); }

void stop_signals::then(std::function<void()> stop) const {
  // Detached, because it may wait until the process ends.
  std::thread([stop = std::move(stop)] {
    const auto set = ending();
    int received = 0;
    while (sigwait(&set, &received) != 0) {
    }
    stop();
  }).detach();
}

} // namespace troupe

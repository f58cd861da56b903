#include "runtime/transport/credentials_watch.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::net {
namespace {

std::atomic<int> polls = 0;

} // namespace

/// Shared with the thread, which may outlive the watch.
struct credentials_watch::state {
  void say(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (!ended && warn) warn(what);
  }

  void run(std::chrono::milliseconds pace) {
    const listener report = [this](const std::string& what) { say(what); };
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, pace, [this] { return ended; })) {
      ++polls; // under the lock, so that no poll begins after the end of the watch
      lock.unlock();
      try {
        poll(report);
      } catch (const std::exception&) { // out of memory; the next poll may succeed
      }
      --polls;
      lock.lock();
    }
  }

  std::function<void(const listener&)> poll;
  listener warn;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
};

credentials_watch::credentials_watch(std::function<void(const listener&)> poll, listener warn,
                                     std::chrono::milliseconds pace)
    : state_(std::make_shared<state>()) {
  state_->poll = std::move(poll);
  state_->warn = std::move(warn);
  std::thread([shared = state_, pace] { shared->run(pace); }).detach();
}

int credentials_watch::running_polls() noexcept { return polls; }

credentials_watch::~credentials_watch() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->changed.notify_all();
}

} // namespace troupe::net

#include "runtime/transport/credentials_watch.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::net {
namespace {

std::atomic<int> under_way = 0;

} // namespace

/// Shared with the thread, which may outlive the watch.
struct credentials_watch::state {
  void say(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (!ended && warn) warn(what);
  }

  void run(std::chrono::milliseconds pace) {
    const listener tell = [this](const std::string& what) { say(what); };
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, pace, [this] { return ended; })) {
      ++under_way; // under the lock: after the end of the watch no look begins
      lock.unlock();
      try {
        look(tell);
      } catch (const std::exception&) { // memory is lacking: the next look may have it
      }
      --under_way;
      lock.lock();
    }
  }

  std::function<void(const listener&)> look;
  listener warn;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
};

credentials_watch::credentials_watch(std::function<void(const listener&)> look, listener warn,
                                     std::chrono::milliseconds pace)
    : state_(std::make_shared<state>()) {
  state_->look = std::move(look);
  state_->warn = std::move(warn);
  std::thread([shared = state_, pace] { shared->run(pace); }).detach();
}

int credentials_watch::looks_under_way() noexcept { return under_way; }

credentials_watch::~credentials_watch() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->changed.notify_all();
}

} // namespace troupe::net

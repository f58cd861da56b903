#include <troupe/process.hpp>

#include "runtime/os/last_line.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace troupe {
namespace {

constexpr int failure = 1;

[[noreturn]] void end_with(std::string line) {
  line.resize(std::min<std::size_t>(line.size(), longest_last_line - 1));
  line += '\n';
  write_last_line(line.data(), line.size());
  ::_exit(failure);
}

} // namespace

struct termination::state {
  std::string program;
  std::mutex mutex;
  std::condition_variable changed;
  std::chrono::milliseconds limit{};
  bool requested = false;
};

termination::termination(const stop_signals& signals, std::string program, std::chrono::milliseconds limit)
    : signals_(signals), state_(std::make_shared<state>()) {
  state_->program = std::move(program);
  state_->limit = limit;
  signals.then([shared = state_] {
    std::unique_lock lock{shared->mutex};
    shared->requested = true;
    shared->changed.notify_all();
    const auto patience = shared->limit;
    lock.unlock();
    std::this_thread::sleep_for(patience);
    end_with(shared->program + ": the process has not ended within " + std::to_string(patience.count()) +
             " ms after the signal to stop, because a thread is waiting for a disk or a service; ending it now");
  });
}

void termination::set_limit(std::chrono::milliseconds most) {
  const std::lock_guard lock{state_->mutex};
  state_->limit = most;
}

void termination::wait() {
  std::unique_lock lock{state_->mutex};
  state_->changed.wait(lock, [this] { return state_->requested; });
}

void termination::request() { signals_.raise(); }

void termination::leave(const std::string& why) { end_with(state_->program + ": " + why); }

} // namespace troupe

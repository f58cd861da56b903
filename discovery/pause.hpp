// How methods wait: with jitter, longer after every failure, and woken when they are to stop.
#pragma once

#include "raft/random.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace troupe {

/// Exponential backoff: each failure doubles the longest pause, and a pause is drawn between half of that and all of
/// it, so that nodes that failed together do not come back together.
class backoff {
 public:
  backoff(raft::duration first, raft::duration longest, std::uint64_t seed)
      : first_(first), longest_(longest), limit_(first), random_(seed) {}

  /// The pause after one more failure.
  raft::duration failed() {
    const auto pause = random_.between(limit_ / 2, limit_);
    limit_ = std::min(limit_ * 2, longest_);
    return pause;
  }
  void succeeded() noexcept { limit_ = first_; }
  /// `usual`, a quarter more or less.
  raft::duration around(raft::duration usual) { return random_.between(usual - usual / 4, usual + usual / 4); }

 private:
  raft::duration first_;
  raft::duration longest_;
  raft::duration limit_;
  raft::prng random_;
};

/// Waits, unless it is time to stop: then gives false at once.
inline bool pause_for(const std::stop_token& stop, raft::duration time) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock{mutex};
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

} // namespace troupe

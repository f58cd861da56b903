// How long to wait before the next attempt: with jitter, and longer after every failure.
#pragma once

#include "raft/base/random.hpp"

#include <algorithm>

namespace troupe::raft {

/// Exponential backoff: each failure doubles the longest pause, and a pause is drawn between half of that and all of
/// it, so that nodes that failed together do not come back together.
class backoff {
 public:
  backoff(duration first, duration longest, std::uint64_t seed)
      : first_(first), longest_(longest), limit_(first), random_(seed) {}

  /// The pause after one more failure.
  duration failed() {
    const auto pause = random_.between(limit_ / 2, limit_);
    limit_ = std::min(limit_ * 2, longest_);
    return pause;
  }
  void succeeded() noexcept { limit_ = first_; }
  /// `usual`, a quarter more or less.
  duration around(duration usual) { return random_.between(usual - usual / 4, usual + usual / 4); }

 private:
  duration first_;
  duration longest_;
  duration limit_;
  prng random_;
};

} // namespace troupe::raft

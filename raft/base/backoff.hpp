// Exponential backoff with jitter.
#pragma once

#include "raft/base/random.hpp"

#include <algorithm>

namespace troupe::raft {

/// Each failure doubles the limit, up to `longest`. A pause is drawn at random between half the limit and the limit, so
/// that nodes that failed at the same time do not retry at the same time.
class backoff {
 public:
  backoff(duration first, duration longest, std::uint64_t seed)
      : first_(first), longest_(longest), limit_(first), random_(seed) {}

  /// Records a failure and returns the pause before the next attempt.
  duration failed() {
    const auto pause = random_.between(limit_ / 2, limit_);
    limit_ = std::min(limit_ * 2, longest_);
    return pause;
  }
  void succeeded() noexcept { limit_ = first_; }
  /// A random duration within a quarter of `usual`.
  duration around(duration usual) { return random_.between(usual - usual / 4, usual + usual / 4); }

 private:
  duration first_;
  duration longest_;
  duration limit_;
  prng random_;
};

} // namespace troupe::raft

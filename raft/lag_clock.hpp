// Measures for how long an index has lagged behind the newest known one.
#pragma once

#include "raft/base/types.hpp"

namespace troupe::raft {

/// Marks the newest index known at some time, and moves the mark when that index is reached. A follower at a steady
/// distance is therefore never behind for longer than that distance, however fast the index grows.
class lag_clock {
 public:
  void note(index_t reached, index_t known, time_point now) noexcept {
    if (reached < mark_) return;
    mark_ = known;
    since_ = now;
  }
  /// How long ago the mark was set; zero if `reached` is at or beyond it.
  duration behind(index_t reached, time_point now) const noexcept {
    return reached < mark_ ? now - since_ : duration::zero();
  }

 private:
  index_t mark_ = 0;
  time_point since_;
};

} // namespace troupe::raft

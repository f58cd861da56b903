// For how long something has been behind what is known.
#pragma once

#include "raft/base/types.hpp"

namespace troupe::raft {

/// Marks the newest index known at some time, and moves the mark on when that index is reached. Something that follows
/// at a steady distance is thus behind for that distance at most, however fast the index grows.
class lag_clock {
 public:
  void note(index_t reached, index_t known, time_point now) noexcept {
    if (reached < mark_) return;
    mark_ = known;
    since_ = now;
  }
  /// How long ago the mark was set; zero if it is reached.
  duration behind(index_t reached, time_point now) const noexcept {
    return reached < mark_ ? now - since_ : duration::zero();
  }

 private:
  index_t mark_ = 0;
  time_point since_;
};

} // namespace troupe::raft

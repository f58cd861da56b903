// Estimates from a peer's silence how likely it is to have failed.
#pragma once

#include "raft/base/types.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::raft {

/// An accrual failure detector (Hayashibara, Defago, Yared, Katayama, "The phi accrual failure detector", 2004). The
/// suspicion grows with the silence, relative to the usual length of this peer's silences. It thus tolerates a bad
/// network, and operators need not guess a timeout. Silences are assumed to be exponentially distributed, as in
/// Cassandra (Lakshman, Malik, 2010): with message loss, their tail is no heavier than that, whereas a normal
/// distribution would underestimate it. Pure.
class failure_detector {
 public:
  /// `interval`: the time between signs of life if none is lost. The peer counts as heard from at `now`.
  failure_detector(duration interval, time_point now) : interval_(interval), mean_(interval), heard_(now) {}

  void heard(time_point now) {
    if (now <= heard_) return;
    // Clamp the gap: one long silence must not make the next one look normal.
    const auto gap = std::min<duration>(now - heard_, longest_gap * interval_);
    mean_ = std::max(interval_, mean_ + (gap - mean_) / memory);
    heard_ = now;
  }
  /// This node did not listen for the time `pause` until now, so the pause does not count as silence of the peer.
  void forgive(duration pause, time_point now) { heard_ = std::min(heard_ + pause, now); }

  /// The negative decimal logarithm of the probability that a live peer is silent for this long: 3 means one in a
  /// thousand.
  double suspicion(time_point now) const {
    if (now <= heard_) return 0;
    return std::chrono::duration<double>(now - heard_) / std::chrono::duration<double>(mean_) / std::log(10.0);
  }
  time_point last_heard() const noexcept { return heard_; }

 private:
  static constexpr int longest_gap = 8; // intervals
  static constexpr int memory = 16;     // signs of life

  duration interval_;
  /// The moving average of the silences between signs of life; never below interval_.
  duration mean_;
  time_point heard_;
};

} // namespace troupe::raft

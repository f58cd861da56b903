// How surely a peer is gone, judged by its silence.
#pragma once

#include "raft/base/types.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::raft {

/// An accrual failure detector (Hayashibara, Defago, Yared, Katayama, "The phi accrual failure detector", 2004): a
/// number that grows with the silence, in units of how long this peer's silences usually are, so that a bad network is
/// met with patience and nobody has to guess a timeout. Silences are taken to be exponentially distributed, as in
/// Cassandra (Lakshman, Malik, 2010): where messages are lost their tail is no heavier than that, while a normal
/// distribution would underrate it. Pure.
class failure_detector {
 public:
  /// `interval`: how far signs of life are apart when none is lost. The peer counts as heard now.
  failure_detector(duration interval, time_point now) : interval_(interval), mean_(interval), heard_(now) {}

  void heard(time_point now) {
    if (now <= heard_) return;
    // One long silence must not make the next one look usual.
    const auto gap = std::min<duration>(now - heard_, longest_gap * interval_);
    mean_ = std::max(interval_, mean_ + (gap - mean_) / memory);
    heard_ = now;
  }
  /// Nobody listened for so long, until now: that is no silence of the peer.
  void forgive(duration pause, time_point now) { heard_ = std::min(heard_ + pause, now); }

  /// Minus the decimal logarithm of the probability that a peer that is there stays silent for so long: 3 is one in a
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
  /// Of the silences between signs of life, newer ones counting more; never below interval_.
  duration mean_;
  time_point heard_;
};

} // namespace troupe::raft

// What a leader knows of a peer that is brought up by a snapshot, from the snapshot's first byte until the peer keeps
// up.
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"

#include <algorithm>
#include <optional>

namespace troupe::raft {

/// The progress of one transfer, for operators.
struct transfer_status {
  node_id peer;
  snapshot_id snapshot;
  std::uint64_t arrived = 0;
  /// On average since it began.
  std::uint64_t bytes_per_second = 0;
  /// False when the snapshot is in use, and the peer is catching up with the log behind it.
  bool sending = false;
  /// The log that is kept for it; 0 when it is not kept any more.
  std::uint64_t log_bytes = 0;
};

/// Pure. Meanwhile the leader's log is kept behind the snapshot, up to the limits of the options: otherwise the log
/// would have moved on when the snapshot is there, and another one would be needed, for ever.
class catch_up {
 public:
  catch_up(const snapshot_transfer& first, index_t match, time_point now);

  /// What the newest report says. Without a transfer, it rests or is over.
  void note(const std::optional<snapshot_transfer>& transfer, index_t match, time_point now);
  /// The peer needs the log behind this place.
  index_t needs_behind() const noexcept { return std::max(snapshot_.last.index, match_); }
  bool keeps_log() const noexcept { return keeps_log_; }
  void release_log() noexcept { keeps_log_ = false; }
  /// The limit that a log of so many bytes behind `needs_behind()` exceeds now, if any.
  std::optional<log_limit> exceeded(const options& opts, std::uint64_t bytes, time_point now) const;
  duration age(time_point now) const { return now - began_; }
  const snapshot_id& snapshot() const noexcept { return snapshot_; }
  /// `peer` and `log_bytes` are the caller's to set.
  transfer_status status(time_point now) const;

 private:
  snapshot_id snapshot_;
  std::uint64_t arrived_ = 0;
  bool sending_ = true;
  bool keeps_log_ = true;
  index_t match_ = 0;
  /// When this snapshot began to be sent, and the log to be kept for it.
  time_point began_;
  /// Of this snapshot: the most that had arrived at a time, and what had when it was first heard of.
  std::uint64_t most_ = 0;
  std::uint64_t before_ = 0;
  time_point progress_at_;
};

} // namespace troupe::raft

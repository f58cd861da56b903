// What a leader knows about a peer that catches up from a snapshot, from the snapshot's first byte until the peer
// keeps up.
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"

#include <algorithm>
#include <optional>
#include <troupe/status.hpp>

namespace troupe::raft {

using troupe::transfer_status;

/// Pure. Until the peer has caught up, the leader keeps the log after the snapshot, up to the limits of the options.
/// Otherwise the log would be compacted past the snapshot before the peer has loaded it, and the peer would need
/// another snapshot, for ever.
class catch_up {
 public:
  catch_up(const snapshot_transfer& first, index_t match, time_point now);

  /// Takes over the newest report. No `transfer` means that the transfer is paused or complete.
  void note(const std::optional<snapshot_transfer>& transfer, index_t match, time_point now);
  /// The peer needs the entries after this index.
  index_t needs_behind() const noexcept { return std::max(snapshot_.last.index, match_); }
  bool keeps_log() const noexcept { return keeps_log_; }
  void release_log() noexcept { keeps_log_ = false; }
  /// The limit that is exceeded now, if any, given the bytes of log after `needs_behind()`.
  std::optional<log_limit> exceeded(const options& opts, std::uint64_t bytes, time_point now) const;
  duration age(time_point now) const { return now - began_; }
  const snapshot_id& snapshot() const noexcept { return snapshot_; }
  /// The caller must set `peer` and `log_bytes`.
  transfer_status status(time_point now) const;

 private:
  snapshot_id snapshot_;
  std::uint64_t arrived_ = 0;
  bool sending_ = true;
  bool keeps_log_ = true;
  index_t match_ = 0;
  /// When the transfer of this snapshot began, and with it the retention of the log.
  time_point began_;
  /// Bytes of this snapshot that had arrived: the maximum so far, and the number in its first report.
  std::uint64_t max_arrived_ = 0;
  std::uint64_t first_arrived_ = 0;
  time_point progress_at_;
};

} // namespace troupe::raft

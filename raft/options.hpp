// The protocol's options.
#pragma once

#include "raft/base/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::raft {

using namespace std::chrono_literals;

struct options {
  /// Interval after which a leader that has nothing else to send sends a heartbeat.
  duration heartbeat = 100ms;
  /// A follower campaigns when it has not heard from a leader for a random time in [election_min, election_max]. A
  /// leader that hears from no majority for election_max steps down.
  duration election_min = 500ms;
  duration election_max = 1000ms;
  /// A new commit index is sent to followers after this time if no other message has carried it.
  duration commit_lag = 5ms;
  /// Limit for the cost of the entries in one append_request; a single entry may exceed it.
  std::size_t max_append_bytes = 1 << 20;
  /// Limits for a replicator's unanswered append_requests.
  std::size_t max_inflight_messages = 64;
  std::size_t max_inflight_bytes = 4 << 20;
  /// A leader refuses proposals while it holds more uncommitted bytes, or more bytes that its own disk has not synced.
  std::size_t max_uncommitted_bytes = 64 << 20;
  /// A disk stalls when a write has waited for this long. A leader then transfers its leadership, and no node campaigns
  /// until its disk responds. 0 means twice election_max. Otherwise it must be at least election_max, because a shorter
  /// pause, which no follower would notice, does not justify a transfer. Raise it if a healthy disk pauses for longer
  /// (a network volume that fails over). Writes may be delayed by this time at most if a leader's disk hangs.
  duration disk_stall_limit{0};
  /// Entries up to the newest snapshot that are kept on disk for followers that lag a little: at most this number, and
  /// at most this many bytes. A follower that lags further gets the snapshot. Raise both if followers are often away
  /// for a short time and the state is large.
  index_t log_tail = 10'000;
  std::uint64_t log_tail_bytes = std::uint64_t{64} << 20;
  /// While a peer catches up from a snapshot, the leader also keeps the log after that snapshot, until the peer has
  /// caught up, this log exceeds catch_up_log_bytes, or catch_up_log_time has passed. Raise the limits if the state is
  /// so large, or sent so slowly, that nodes log that the log is no longer kept. The log costs disk space during the
  /// transfer.
  std::uint64_t catch_up_log_bytes = std::uint64_t{1} << 30;
  duration catch_up_log_time = 30min;
  /// The size of a snapshot chunk, and the maximum of snapshot bytes per second and follower; 0 means no limit.
  std::size_t snapshot_chunk_bytes = 1 << 20;
  std::uint64_t snapshot_bytes_per_second = 0;
  /// Committed entries up to this many bytes stay in memory, for followers that lag a little.
  std::size_t cache_bytes = 16 << 20;

  duration stall_limit() const noexcept {
    return disk_stall_limit > duration::zero() ? disk_stall_limit : 2 * election_max;
  }
};

/// Describes the first invalid option and names its field; empty if all are valid.
std::string objection(const options& opts);

} // namespace troupe::raft

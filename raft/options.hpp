// The protocol's knobs.
#pragma once

#include "raft/base/types.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::raft {

using namespace std::chrono_literals;

struct options {
  /// A leader's sign of life when it has nothing else to say.
  duration heartbeat = 100ms;
  /// A follower campaigns after a silence drawn from [election_min, election_max]. A leader that hears from no
  /// majority for election_max steps down.
  duration election_min = 500ms;
  duration election_max = 1000ms;
  /// A commit index that no other message carries is sent to followers after this.
  duration commit_lag = 5ms;
  /// Entries of one append_request: stops adding when their cost passes this.
  std::size_t max_append_bytes = 1 << 20;
  /// A replicator's unanswered append_requests.
  std::size_t max_inflight_messages = 64;
  std::size_t max_inflight_bytes = 4 << 20;
  /// A leader refuses proposals while it holds more uncommitted bytes than this, or more that its own disk lacks.
  std::size_t max_uncommitted_bytes = 64 << 20;
  /// A disk stalls when a write has waited for it for so long. A leader then hands leadership over, and no node
  /// campaigns before its disk answers. 0: twice election_max; else not less than election_max, for a pause that no
  /// follower would notice in a leader is none to hand over for. Raise it where a healthy disk pauses for longer (a
  /// network volume that fails over); at most this long, writes may wait for a leader whose disk hangs.
  duration disk_stall_limit{0};
  /// Entries kept on disk up to the newest snapshot, for followers that are a little behind: so many, or so many bytes
  /// of them, whichever is less. A follower that is further behind gets the snapshot. Raise both when followers are
  /// often away for a short time and the state is large.
  index_t log_tail = 10'000;
  std::uint64_t log_tail_bytes = std::uint64_t{64} << 20;
  /// While a peer is brought up by a snapshot, the leader also keeps the log behind that snapshot, until the peer has
  /// caught up, or the log behind it exceeds so many bytes, or this time is over. Raise them when a state is so large,
  /// or sent so slowly, that the log says that it was kept no longer; they cost disk space while a snapshot is on its
  /// way.
  std::uint64_t catch_up_log_bytes = std::uint64_t{1} << 30;
  duration catch_up_log_time = 30min;
  /// A piece of a snapshot, and how many bytes of it go to one follower in a second at most; 0: no limit.
  std::size_t snapshot_chunk_bytes = 1 << 20;
  std::uint64_t snapshot_bytes_per_second = 0;
  /// Entries kept in memory behind the applied index, for followers that are a little behind.
  std::size_t cache_bytes = 16 << 20;

  duration stall_limit() const noexcept {
    return disk_stall_limit > duration::zero() ? disk_stall_limit : 2 * election_max;
  }
};

/// What is wrong with these options, naming the field; empty if nothing is.
std::string objection(const options& opts);

} // namespace troupe::raft

// How the nodes of a cluster keep in touch, decide about members and take snapshots.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <troupe/types.hpp>

namespace troupe {

/// Timing and limits of the protocol. The defaults suit a local network; give all nodes of a cluster the same.
struct raft_options {
  using duration = std::chrono::steady_clock::duration;

  /// How often a leader sends a heartbeat when it has nothing else to send.
  duration heartbeat = std::chrono::milliseconds{100};
  /// A follower campaigns after a silence drawn from [election_min, election_max]. A leader that hears from no quorum
  /// for election_max steps down. Raise both, and the heartbeat, on networks with long round trips.
  duration election_min = std::chrono::milliseconds{500};
  duration election_max = std::chrono::milliseconds{1000};
  /// A commit index that no other message carries is sent to followers after this time.
  duration commit_lag = std::chrono::milliseconds{5};
  /// The size of one append request, in bytes; a single entry may exceed it.
  std::size_t max_append_bytes = 1 << 20;
  /// How many append requests, and bytes of them, may be unanswered by one follower.
  std::size_t max_inflight_messages = 64;
  std::size_t max_inflight_bytes = 4 << 20;
  /// A leader rejects proposals while more bytes than this are uncommitted, or not on its own disk.
  std::size_t max_uncommitted_bytes = 64 << 20;
  /// A disk is stalled when a write has waited for it for this long. A leader then transfers its leadership, and no
  /// node campaigns before its disk answers. 0: twice election_max; otherwise at least election_max, because followers
  /// do not notice a shorter pause of a leader. Raise it where a healthy disk pauses for longer (a network volume that
  /// fails over). Writes may wait this long for a leader whose disk hangs.
  duration disk_stall_limit{0};
  /// How much log before the newest snapshot is kept on disk for followers that are a little behind: this number of
  /// entries or of bytes, whichever is less. A follower that is further behind gets the snapshot. Raise both when
  /// followers are often away for a short time and the state is large.
  index_t log_tail = 10'000;
  std::uint64_t log_tail_bytes = std::uint64_t{64} << 20;
  /// While a leader sends a snapshot to a peer, it also keeps the log after that snapshot until the peer has caught up,
  /// but at most this number of bytes and this long. Raise them when a state is so large, or sent so slowly, that the
  /// leader logs that it no longer kept the log; they cost disk space while a snapshot is being sent.
  std::uint64_t catch_up_log_bytes = std::uint64_t{1} << 30;
  duration catch_up_log_time = std::chrono::minutes{30};
  /// The size of a chunk of a snapshot in bytes, and how many bytes per second are sent to one follower at most; 0: no
  /// limit.
  std::size_t snapshot_chunk_bytes = 1 << 20;
  std::uint64_t snapshot_bytes_per_second = 0;
  /// Bytes of committed entries that are kept in memory, for followers that are a little behind.
  std::size_t cache_bytes = 16 << 20;

  /// The effective limit after which a disk counts as stalled.
  duration stall_limit() const noexcept {
    return disk_stall_limit > duration::zero() ? disk_stall_limit : 2 * election_max;
  }
};

/// Returns what is wrong with these options, naming the field; empty if nothing is.
std::string objection(const raft_options& options);

/// Which nodes a leader lets in and removes by itself.
struct member_policy_options {
  /// Let in nodes that ask to join.
  bool add = true;
  /// Replace voters and learners that have been dead for `grace` by nodes that ask to join, or remove them. Not set:
  /// see node_options::members. A dead learner that this policy let in is removed in any case.
  std::optional<bool> remove = {};
  std::chrono::steady_clock::duration grace = std::chrono::seconds{60};
  /// Removal without replacement never leaves fewer voters.
  std::size_t min_voters = 3;
  /// Above this number a node that joins becomes a standby learner, ready to replace a voter.
  std::size_t max_voters = 7;
  /// While this many learners wait to vote, no other node is let in.
  std::size_t max_learners = 7;
};

/// When a node takes a snapshot by itself, after which it can compact its log.
struct snapshot_policy {
  /// A snapshot is due when this number of bytes, or of entries, was logged since the last one. Each node varies both
  /// by up to a quarter, so that nodes do not write at the same moment.
  std::uint64_t log_bytes = std::uint64_t{64} << 20;
  index_t log_entries = 100'000;
};

} // namespace troupe

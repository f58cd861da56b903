// What nodes tell each other. Every message carries the cluster, both ends and the sender's term.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/snapshot.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace troupe::raft {

/// Of an answer that belongs to no session: it is from a node in a later term.
inline constexpr std::uint64_t no_session = ~std::uint64_t{0};

struct header {
  cluster_id cluster;
  node_id from;
  node_id to;
  /// The sender's term; in a pre-vote request the term it would campaign in.
  term_t term = 0;
  friend bool operator==(const header&, const header&) = default;
};

/// Asks for a vote (Raft paper, section 5.2), or whether one would be given (`pre`; Ongaro's thesis, section 9.6).
struct vote_request {
  header head;
  index_t last_index = 0;
  term_t last_term = 0;
  bool pre = false;
  /// The leader itself wants this election (leadership transfer): that it was heard lately is no reason to refuse.
  bool transfer = false;
};

/// A granted pre-vote carries the requested term back, every other answer the voter's own.
struct vote_response {
  header head;
  bool pre = false;
  bool granted = false;
};

/// Entries for a follower, or none as a heartbeat (Raft paper, section 5.3).
struct append_request {
  header head;
  index_t prev_index = 0;
  term_t prev_term = 0;
  index_t commit = 0;
  /// The newest read round the leader had opened when this left; the answer carries it back (ReadIndex).
  std::uint64_t round = 0;
  std::vector<entry> entries;
  /// The session of the leader's replicator that sent this; the answer carries it back.
  std::uint64_t session = 0;
};

struct append_response {
  header head;
  bool success = false;
  /// The request's `prev_index`: tells a late refusal from a fresh one.
  index_t prev_index = 0;
  /// On success: the follower's log equals the leader's up to here, and is on the follower's disk.
  index_t match = 0;
  /// On refusal: where the leader should look next. `hint_term` is the term the follower has at `hint_index`, and
  /// 0 <= hint_index < prev_index.
  index_t hint_index = 0;
  term_t hint_term = 0;
  std::uint64_t round = 0;
  /// Not 0: the follower has lost its state (not its log) and needs a snapshot that reaches at least this index.
  index_t needs_snapshot = 0;
  /// The follower's disk is full: of what was sent it has taken nothing from the first new command on, and takes none
  /// before it answers otherwise.
  bool no_room = false;
  /// Of the request. A leader counts only what answers its newest session with this peer, so that an answer that is
  /// older than what the leader learned since then changes nothing.
  std::uint64_t session = 0;
  /// The follower's, see `node_state::incarnation`: what its predecessor had is not evidence of what it has.
  std::uint64_t incarnation = 0;
};

/// A piece of the leader's snapshot, for a follower that needs what the leader's log no longer holds (Raft paper,
/// section 7). One that arrives out of turn is answered with the offset that is due, so nothing is sent twice after a
/// broken link.
struct snapshot_request {
  header head;
  snapshot_id snapshot;
  std::uint64_t offset = 0;
  bytes data;
  std::uint64_t round = 0;
  /// As in append_request.
  std::uint64_t session = 0;
};

/// The last piece is answered by an append_response instead, once the snapshot is in use.
struct snapshot_response {
  header head;
  snapshot_id snapshot;
  /// Of the piece that is answered: only the answer to the newest one brings the next, or a doubled message would
  /// double all that follow.
  std::uint64_t offset = 0;
  /// The follower holds everything before this offset.
  std::uint64_t next = 0;
  /// It could not be stored, was damaged, or does not reach far enough: the leader begins anew, later.
  bool failed = false;
  std::uint64_t round = 0;
  /// With `failed`: for want of room on the disk.
  bool no_room = false;
  /// As in append_response.
  std::uint64_t session = 0;
  std::uint64_t incarnation = 0;
};

/// The leader wants the receiver to campaign at once, as it has all that the leader has (Ongaro's thesis, 3.10).
struct timeout_now {
  header head;
};

/// A fact, whoever tells it and in whichever term: of what is committed up to `commit`, the newest configuration is the
/// one at `index`, and the receiver is no member of it. Void for one that knows of a configuration behind `commit`.
struct removed_notice {
  header head;
  index_t index = 0;
  index_t commit = 0;
  /// Somebody asked for it: the receiver is not wanted back.
  bool dismissed = false;
  /// Somebody may have asked for it up to this index: not all that were dismissed are remembered.
  index_t forgotten = 0;
  /// How long the sender has known the receiver to be out, as it measured it, in milliseconds: it left no later.
  std::uint64_t out_for_ms = 0;
};

/// The receiver of the notice knows it now.
struct removed_answer {
  header head;
  index_t index = 0;
};

using rpc = std::variant<vote_request, vote_response, append_request, append_response, snapshot_request,
                         snapshot_response, timeout_now, removed_notice, removed_answer>;

inline const header& head_of(const rpc& message) {
  return std::visit([](const auto& m) -> const header& { return m.head; }, message);
}

} // namespace troupe::raft

// The messages between nodes. Each carries the cluster, the sender, the receiver and the sender's term.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/snapshot.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace troupe::raft {

/// The session of a response that does not belong to one, because its sender is in a later term.
inline constexpr std::uint64_t no_session = ~std::uint64_t{0};

struct header {
  cluster_id cluster;
  node_id from;
  node_id to;
  /// The sender's term; in a pre-vote request, the term in which it would campaign.
  term_t term = 0;
  friend bool operator==(const header&, const header&) = default;
};

/// Asks for a vote (Raft paper, section 5.2) or, with `pre`, a pre-vote (Ongaro's thesis, section 9.6).
struct vote_request {
  header head;
  index_t last_index = 0;
  term_t last_term = 0;
  bool pre = false;
  /// The leader itself asked for this election (leadership transfer), so a voter that heard from it recently must not
  /// refuse for that reason.
  bool transfer = false;
};

/// A granted pre-vote returns the requested term; every other response carries the voter's own term.
struct vote_response {
  header head;
  bool pre = false;
  bool granted = false;
};

/// Entries for a follower; without entries, a heartbeat or a probe (Raft paper, section 5.3).
struct append_request {
  header head;
  index_t prev_index = 0;
  term_t prev_term = 0;
  index_t commit = 0;
  /// The newest read round of the leader when it sent this; the response returns it (ReadIndex).
  std::uint64_t round = 0;
  std::vector<entry> entries;
  /// The session of the leader's replicator; the response returns it.
  std::uint64_t session = 0;
};

struct append_response {
  header head;
  bool success = false;
  /// The request's `prev_index`. It distinguishes a late refusal from a current one.
  index_t prev_index = 0;
  /// On success: the follower's log matches the leader's up to here and is on the follower's disk.
  index_t match = 0;
  /// On refusal: where the leader should probe next. `hint_term` is the follower's term at `hint_index`, and
  /// 0 <= hint_index < prev_index.
  index_t hint_index = 0;
  term_t hint_term = 0;
  std::uint64_t round = 0;
  /// If not 0, the follower has lost its state (not its log) and needs a snapshot that reaches at least this index.
  index_t needs_snapshot = 0;
  /// The follower's disk is full: it appended nothing from the first new command of the request on, and accepts no
  /// commands until it responds without this flag.
  bool no_room = false;
  /// The request's session. A leader ignores responses to sessions older than its newest one with this peer, so that a
  /// late response cannot contradict what the leader has learned since.
  std::uint64_t session = 0;
  /// The follower's incarnation, see `node_state::incarnation`. What an earlier incarnation had on its disk proves
  /// nothing about this one.
  std::uint64_t incarnation = 0;
};

/// A chunk of the leader's snapshot, for a follower that needs entries that the leader's log no longer holds (Raft
/// paper, section 7). The response to an out-of-order chunk carries the expected offset, so that nothing is sent twice
/// after a broken link.
struct snapshot_request {
  header head;
  snapshot_id snapshot;
  std::uint64_t offset = 0;
  bytes data;
  std::uint64_t round = 0;
  /// As in append_request.
  std::uint64_t session = 0;
};

/// The response to the last chunk is an append_response instead, once the snapshot is loaded.
struct snapshot_response {
  header head;
  snapshot_id snapshot;
  /// The offset of the chunk in the request. Only the response to the newest chunk triggers the next one; otherwise a
  /// duplicated message would duplicate all that follow.
  std::uint64_t offset = 0;
  /// The follower holds everything before this offset.
  std::uint64_t next = 0;
  /// The snapshot could not be stored, was damaged, or does not reach far enough. The leader starts over later.
  bool failed = false;
  std::uint64_t round = 0;
  /// With `failed`: the follower's disk is full.
  bool no_room = false;
  /// As in append_response.
  std::uint64_t session = 0;
  std::uint64_t incarnation = 0;
};

/// The leader asks the receiver, which has the leader's whole log, to campaign at once (Ongaro's thesis, section 3.10).
struct timeout_now {
  header head;
};

/// Notifies a node that it is not a member: the newest configuration committed up to `commit` is the one at `index`,
/// and it does not include the receiver. This is a fact that does not depend on the sender or its term. It is not valid
/// for a receiver that knows a configuration after `commit`.
struct removed_notice {
  header head;
  index_t index = 0;
  index_t commit = 0;
  /// An operator asked for the removal: the receiver must not join again by itself.
  bool dismissed = false;
  /// Dismissals up to this index may be unknown to the sender (`configuration::forgotten`).
  index_t forgotten = 0;
  /// For how long, by the sender's clock, the receiver has not been a member, in milliseconds. A lower bound.
  std::uint64_t out_for_ms = 0;
};

/// Acknowledges a removed_notice.
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

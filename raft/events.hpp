// The inputs and outputs of a role: everything enters by `event` and leaves by `output`.
#pragma once

#include "raft/base/types.hpp"
#include "raft/messages.hpp"
#include "raft/storage.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace troupe::raft {

enum class role_kind : std::uint8_t { follower, candidate, leader };

const char* to_string(role_kind kind);

/// A proposal's or a read's name, drawn by the caller; it comes back with the outcome. 0: nothing waits for an outcome.
using tag_t = std::uint64_t;

struct proposal {
  tag_t tag = 0;
  bytes data;
};

/// The time of `deadline()` has come (or passed, or nothing happened: harmless).
struct tick {};
/// Commands for the log, in order.
struct propose {
  std::vector<proposal> proposals;
};
/// Asks for an index at which a linearizable read may be served (Ongaro's thesis, section 6.4).
struct read_request {
  tag_t tag = 0;
};
/// A node that joins as a learner, or a learner or voter that is to be something else.
struct addition {
  member who;
  /// It becomes a voter when it has caught up; else it stays a learner, and a policy's is spare.
  bool votes = true;
  /// The voter that leaves in the step in which this one becomes a voter; 0: none.
  node_id replaces;
};
/// Asks the leader for another configuration, in one step. Answered with the place of its entry in the log, or refused.
struct change_members {
  tag_t tag = 0;
  std::vector<addition> add;
  std::vector<node_id> remove;
  /// The index of the configuration that this is meant for; 0: whichever holds.
  index_t based_on = 0;
  /// Somebody wants it. Otherwise the leader's policy does, which may be wrong about who is dead.
  bool asked = true;
};
/// Asks the leader to hand its leadership to `target`, or (0) to the voter that fits best.
struct transfer_leadership {
  tag_t tag = 0;
  node_id target;
};
/// Everything up to this mark is on disk.
struct persisted {
  durable_mark mark;
};
/// A peer acknowledged entries up to `acknowledged`, and now says that it has nothing behind `found`, if it has that:
/// its disk lost what it had promised to keep.
struct lost_entries {
  index_t acknowledged = 0;
  index_t found = 0;
  friend bool operator==(const lost_entries&, const lost_entries&) = default;
};
/// What a replicator of the leader of `term` learned from its peer.
struct peer_report {
  term_t term = 0;
  node_id peer;
  index_t match = 0;
  std::uint64_t round = 0;
  /// When the newest answer arrived.
  time_point heard;
  /// It lacks room or its state: no successor, and no new voter.
  bool unfit = false;
  /// Rises when the replicator starts over. What reports of earlier sessions said of match and round does not count any
  /// more: the peer may be another process, with less on its disk.
  std::uint64_t session = 0;
  std::optional<lost_entries> lost = {};
  /// Set while the peer is being sent a snapshot.
  std::optional<snapshot_transfer> transfer = {};
};
/// What became of a piece of a leader's snapshot that was given out as `output::store_chunk`. A fact about the disk,
/// whatever the role is by now.
struct snapshot_stored {
  node_id leader;
  snapshot_id snapshot;
  /// These as in snapshot_response.
  std::uint64_t offset = 0;
  std::uint64_t next = 0;
  std::uint64_t round = 0;
  bool failed = false;
  /// All of it is here, checked and on disk.
  std::optional<snapshot_point> complete;
  /// With `failed`: for want of room on the disk.
  bool no_room = false;
};
/// The services' own state up to `newest` is on disk; of the snapshots kept, the oldest reaches `oldest_kept`.
struct snapshot_taken {
  log_position newest;
  index_t oldest_kept = 0;
};

/// Whether the disk has room for more than what is on its way to it. Until the first word it is as `recovered` says.
struct disk_space {
  bool enough = true;
};

/// The state machines stand right before this committed entry, as what it replaces their state by is not on this node's
/// disk. They go on from a snapshot of another node.
struct state_missing {
  index_t index = 0;
};

using event = std::variant<tick, rpc, propose, read_request, change_members, transfer_leadership, persisted,
                           peer_report, snapshot_stored, snapshot_taken, disk_space, state_missing>;

/// Why a proposal, a read, a change of members or a transfer was surely not carried out.
enum class refusal : std::uint8_t {
  not_leader,
  /// The leader holds as many uncommitted bytes as it may.
  overloaded,
  /// Leadership ended before the read was confirmed, or the transfer done.
  leadership_lost,
  /// The leader's disk has no room.
  disk_full,
  /// The leader is handing its leadership over, for an election timeout at most.
  transferring,
  /// The newest configuration is joint or not committed: ask again.
  change_in_progress,
  /// The leader is so new that it has committed nothing yet, or does not know who answers: ask again.
  leader_too_new,
  /// Another configuration holds than the one the change is based on.
  stale_configuration,
  /// The change, or the transfer, names a node that is not a member.
  unknown_member,
  /// It names a member that is not a voter where only a voter will do.
  not_a_voter,
  /// The change contradicts itself, or names a node without an id.
  invalid_change,
  /// An address is not host:port (address.hpp).
  invalid_address,
  /// The configuration would have more members, or more bytes, than it may (membership_rules.hpp).
  configuration_too_large,
  /// Everything is as the change wants it.
  nothing_to_change,
  /// The change would leave no voter.
  no_voter_left,
  /// Of the voters that the change would leave, no majority answers: nothing would be committed any more.
  no_majority_left,
  /// No other voter was heard lately that could take the leadership over: the leader goes on.
  no_successor,
  /// The successor did not take the leadership over in time: the leader goes on.
  transfer_failed,
  /// The leader's disk does not answer, and the other voters are no quorum without it.
  disk_stalled,
};

struct accepted {
  tag_t tag = 0;
  index_t index = 0;
  term_t term = 0;
};
struct failed {
  tag_t tag = 0;
  refusal why = refusal::not_leader;
  node_id leader;
};
struct read_ready {
  tag_t tag = 0;
  /// The state machine may be read once this index is applied.
  index_t index = 0;
};

/// Leadership has left this node after it asked `to` to take it.
struct transferred {
  tag_t tag = 0;
  node_id to;
};

/// What a leader tells all its replicators after a step that changed any of it.
struct replicate {
  /// New entries, contiguous up to `last`; may be empty.
  std::vector<entry> entries;
  index_t last = 0;
  index_t commit = 0;
  std::uint64_t round = 0;
};

/// Replicators to start and to stop: of a member from the append of its configuration on, until the one without it is
/// committed and it knows, or is silent for long.
struct membership_change {
  std::vector<member> start;
  std::vector<node_id> stop;
};

/// A peer's disk lost entries that the peer had acknowledged.
struct broken_promise {
  node_id peer;
  lost_entries what;
};

/// Why a leader stopped keeping the log for a peer that has not caught up.
enum class log_limit : std::uint8_t { bytes, time, no_progress };

/// The leader kept its log for a peer that is brought up by a snapshot, and does so no longer: the peer may need
/// another snapshot after this one.
struct log_released {
  node_id peer;
  log_limit why = log_limit::bytes;
  /// What was kept, and for how long.
  std::uint64_t bytes = 0;
  duration held{};
};

struct transition {
  role_kind to = role_kind::follower;
  /// What the successor must step first.
  std::optional<rpc> carry;
};

/// What a step asks of the world. Its order of execution: `write` and `send_after_persist` are handed to the log store
/// together; `send_now` may leave at once, the rest is for actors of this node.
struct output {
  /// Must reach the disk. Numbered by the node, see `raft::write`.
  std::optional<write> write_now;
  /// May leave before anything of this step is on disk.
  std::vector<rpc> send_now;
  /// May leave only when every write handed over up to and including this step's is on disk.
  std::vector<rpc> send_after_persist;
  /// Entries up to here are committed and may be applied. This node's own disk may not have them yet.
  std::optional<index_t> commit_to;
  std::vector<read_ready> reads;
  std::vector<accepted> accepted_now;
  std::vector<failed> failed_now;
  std::optional<transferred> transferred_now;
  std::optional<membership_change> membership;
  /// This node is no member any more: the configuration at this index, which is committed, does not have it.
  std::optional<index_t> removed;
  /// With `removed`: somebody asked for it, or may have, rather than that it was found to be dead.
  bool dismissed = false;
  /// With `removed`: at least so long ago.
  duration removed_for{};
  std::optional<replicate> replicate_now;
  /// A piece of the leader's snapshot to be stored; answered by `snapshot_stored`.
  std::optional<snapshot_request> store_chunk;
  /// The state machines are to be replaced by this snapshot, which is on disk, before anything behind it is applied.
  std::optional<snapshot_point> load;
  /// Entries up to here may be dropped from the disk.
  std::optional<index_t> compact_to;
  /// The disk has begun to stall (true), or answers again (false).
  std::optional<bool> disk_stalled;
  /// For operators.
  std::vector<broken_promise> broken_promises;
  std::vector<log_released> released_logs;
  std::optional<transition> next_role;
};

} // namespace troupe::raft

// The inputs and outputs of a role: everything enters as an `event` and leaves in an `output`.
#pragma once

#include "raft/base/types.hpp"
#include "raft/messages.hpp"
#include "raft/storage.hpp"

#include <cstdint>
#include <optional>
#include <troupe/status.hpp>
#include <variant>
#include <vector>

namespace troupe::raft {

/// Identifies a request. Chosen by the caller and returned with the outcome. 0 if no caller waits for the outcome.
using tag_t = std::uint64_t;

struct proposal {
  tag_t tag = 0;
  bytes data;
};

/// The time of `deadline()` has come. An early or repeated tick is harmless.
struct tick {};
/// Commands for the log, in order.
struct propose {
  std::vector<proposal> proposals;
};
/// Asks for an index at which a linearizable read may be served (Ongaro's thesis, section 6.4).
struct read_request {
  tag_t tag = 0;
};
/// Asks the leader for a new configuration, in one step. The outcome is the index of its entry in the log, or a
/// refusal.
struct change_members {
  tag_t tag = 0;
  std::vector<addition> add;
  std::vector<node_id> remove;
  /// The index of the configuration to which the change applies; 0 for the current one.
  index_t based_on = 0;
  /// An operator asked for the change. Otherwise the leader's policy did, which may be wrong about which nodes are
  /// dead.
  bool asked = true;
};
/// Asks the leader to transfer its leadership to `target`, or if that is 0, to the most suitable voter.
struct transfer_leadership {
  tag_t tag = 0;
  node_id target;
};
/// Everything up to this mark is on disk.
struct persisted {
  durable_mark mark;
};
using troupe::lost_entries;
/// What a replicator of the leader of `term` learned from its peer.
struct peer_report {
  term_t term = 0;
  node_id peer;
  index_t match = 0;
  std::uint64_t round = 0;
  /// When the newest response arrived.
  time_point heard;
  /// The peer lacks disk space or its state: it must not become leader or a new voter.
  bool ineligible = false;
  /// Rises when the replicator starts over. `match` and `round` of earlier sessions no longer count: the peer may be
  /// another process, with fewer entries on its disk.
  std::uint64_t session = 0;
  std::optional<lost_entries> lost = {};
  /// Set while the peer is being sent a snapshot.
  std::optional<snapshot_transfer> transfer = {};
};
/// The outcome of storing a chunk of a leader's snapshot (`output::store_chunk`). A fact about the disk: it holds
/// whatever this node's role is by now.
struct snapshot_stored {
  node_id leader;
  snapshot_id snapshot;
  /// The next four fields are as in snapshot_response.
  std::uint64_t offset = 0;
  std::uint64_t next = 0;
  std::uint64_t round = 0;
  bool failed = false;
  /// Set once the whole snapshot is checked and on disk.
  std::optional<snapshot_point> complete;
  /// With `failed`: the disk is full.
  bool no_room = false;
};
/// A snapshot of the services' state at `newest` is on disk. The oldest snapshot kept reaches `oldest_kept`.
struct snapshot_taken {
  log_position newest;
  index_t oldest_kept = 0;
};

/// Whether the disk has room beyond the writes on their way to it. Until the first event, `recovered::has_room`
/// applies.
struct disk_space {
  bool enough = true;
};

/// The state machines cannot apply this committed entry, because it replaces their state by a backup that is not on
/// this node's disk. They continue from another node's snapshot.
struct state_missing {
  index_t index = 0;
};

using event = std::variant<tick, rpc, propose, read_request, change_members, transfer_leadership, persisted,
                           peer_report, snapshot_stored, snapshot_taken, disk_space, state_missing>;

/// Why a proposal, read, membership change or leadership transfer was rejected. It was surely not carried out.
enum class reject_reason : std::uint8_t {
  not_leader,
  /// The leader holds the maximum of uncommitted bytes.
  overloaded,
  /// Leadership ended before the read was confirmed or the transfer completed.
  leadership_lost,
  /// The leader's disk is full.
  disk_full,
  /// The leader is transferring its leadership, which takes at most an election timeout.
  transferring,
  /// The newest configuration is joint or not committed: retry.
  change_in_progress,
  /// The leader has not committed an entry of its term yet, or does not know which voters respond: retry.
  leader_too_new,
  /// The current configuration is not the one on which the change is based.
  stale_configuration,
  /// The change, or the transfer, names a node that is not a member.
  unknown_member,
  /// It names a member that is not a voter where a voter is required.
  not_a_voter,
  /// The change contradicts itself, or names a node without an id.
  invalid_change,
  /// An address is not host:port (address.hpp).
  invalid_address,
  /// The configuration would exceed the limit of members or of bytes (membership_rules.hpp).
  configuration_too_large,
  /// The configuration already matches the change.
  nothing_to_change,
  /// The change would leave no voter.
  no_voter_left,
  /// No majority of the remaining voters responds, so nothing could be committed after the change.
  no_majority_left,
  /// No eligible voter has responded recently. The leader keeps its leadership.
  no_successor,
  /// The successor did not take over in time. The leader keeps its leadership.
  transfer_failed,
  /// The leader's disk stalls, and the other voters are not a quorum without it.
  disk_stalled,
};

struct accepted {
  tag_t tag = 0;
  index_t index = 0;
  term_t term = 0;
};
struct failed {
  tag_t tag = 0;
  reject_reason why = reject_reason::not_leader;
  node_id leader;
};
struct read_ready {
  tag_t tag = 0;
  /// The state machine may be read once this index is applied.
  index_t index = 0;
};

/// This node's leadership ended after it asked `to` to campaign.
struct transferred {
  tag_t tag = 0;
  node_id to;
};

/// What a leader sends to all its replicators after a step that changed any of these fields.
struct replicate {
  /// New entries, contiguous up to `last`; may be empty.
  std::vector<entry> entries;
  index_t last = 0;
  index_t commit = 0;
  std::uint64_t round = 0;
};

/// Replicators to start and to stop. A member's replicator runs from the append of the configuration that adds the
/// member until the configuration without it is committed and the member knows, or has been silent for long.
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

/// The leader no longer keeps its log for a peer that catches up from a snapshot: the peer may need another snapshot
/// after this one.
struct log_released {
  node_id peer;
  log_limit why = log_limit::bytes;
  /// The size of the log that was kept, and for how long.
  std::uint64_t bytes = 0;
  duration held{};
};

struct transition {
  role_kind to = role_kind::follower;
  /// The message that the next role must step first.
  std::optional<rpc> carry;
};

/// The effects of a step. `write_now` and `send_after_persist` go to the log store together. `send_now` may leave at
/// once. The rest is for actors of this node.
struct output {
  /// Must reach the disk. The node numbers its writes, see `raft::write`.
  std::optional<write> write_now;
  /// May leave before anything of this step is on disk.
  std::vector<rpc> send_now;
  /// May leave only when every write up to and including this step's is on disk.
  std::vector<rpc> send_after_persist;
  /// Entries up to here are committed and may be applied. This node's own disk may not have them yet.
  std::optional<index_t> commit_to;
  std::vector<read_ready> reads;
  std::vector<accepted> accepted_now;
  /// Proposals, changes of members and transfers that this step asked for, and that were refused.
  std::vector<failed> failed_proposals;
  /// Reads that this step asked for, or that waited for a confirmation.
  std::vector<failed> failed_reads;
  /// A transfer that had started.
  std::optional<failed> failed_transfer;
  std::optional<transferred> transferred_now;
  std::optional<membership_change> membership;
  /// This node is no longer a member: the committed configuration at this index does not include it.
  std::optional<index_t> removed;
  /// With `removed`: an operator asked for the removal, or may have. False if this node was removed as dead.
  bool dismissed = false;
  /// With `removed`: a lower bound for how long ago the removal was.
  duration removed_for{};
  std::optional<replicate> replicate_now;
  /// A chunk of the leader's snapshot to store; `snapshot_stored` reports the outcome.
  std::optional<snapshot_request> store_chunk;
  /// Replace the state machines by this snapshot, which is on disk, before applying anything after it.
  std::optional<snapshot_point> load;
  /// Entries up to here may be dropped from the disk.
  std::optional<index_t> compact_to;
  /// The disk began to stall (true), or responds again (false).
  std::optional<bool> disk_stalled;
  /// The next two fields are for operators.
  std::vector<broken_promise> broken_promises;
  std::vector<log_released> released_logs;
  std::optional<transition> next_role;
};

} // namespace troupe::raft

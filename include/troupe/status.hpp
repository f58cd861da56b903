// What a node reports about itself and its cluster.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <troupe/types.hpp>
#include <utility>
#include <vector>

namespace troupe {

/// What a node is doing.
enum class node_phase : std::uint8_t {
  forming,      ///< not part of a cluster yet
  opening,      ///< reading its log and its state from the disk
  running,      ///< takes part in its cluster
  leaving,      ///< leaving the cluster before it stops
  handing_over, ///< transferring its leadership before it stops
  draining,     ///< waiting for the answers to what is in flight before it stops
  restarting,   ///< an actor failed or found the disk full; the others end, to be started again
  no_room,      ///< the disk is so full that the node cannot run; it tries again
  disk_failed,  ///< does nothing until its process is started again
  stopping,     ///< ending its actors
};
/// A stable word for logs and APIs: "handing_over".
const char* to_string(node_phase phase);

/// The state of a node's disk.
enum class disk_state : std::uint8_t {
  ok,
  full,
  stalled, ///< a write has waited for longer than raft_options::disk_stall_limit
  failed,
};
const char* to_string(disk_state state);

/// What a node knows of a peer from the answers to its probes.
enum class peer_state : std::uint8_t { alive, suspect, dead };
const char* to_string(peer_state state);

struct peer_health {
  node_id id;
  peer_state state = peer_state::alive;
  /// How unlikely the peer's silence is, if it is alive: minus the decimal logarithm of the probability.
  double suspicion = 0;
  std::chrono::nanoseconds silent_for{};
  /// At most the newest direct probe is unanswered. If this is false and the peer is alive, the link to it is bad.
  bool direct = true;
};

/// A peer had acknowledged entries up to `acknowledged`, and later reported that it has none after `found`: its disk
/// lost what it had promised to keep.
struct lost_entries {
  index_t acknowledged = 0;
  index_t found = 0;
  friend bool operator==(const lost_entries&, const lost_entries&) = default;
};

/// The progress of one snapshot from a leader to a peer.
struct transfer_status {
  node_id peer;
  snapshot_id snapshot;
  /// Bytes that have arrived.
  std::uint64_t arrived = 0;
  /// The average since the transfer began.
  std::uint64_t bytes_per_second = 0;
  /// False when the peer has installed the snapshot, and is catching up with the log after it.
  bool sending = false;
  /// The size of the log that the leader keeps for the peer; 0 when it no longer keeps it.
  std::uint64_t log_bytes = 0;
};

/// A running node's role and log.
struct role_status {
  role_kind kind = role_kind::follower;
  term_t term = 0;
  /// No id if the node knows no leader.
  node_id leader;
  index_t last_index = 0;
  index_t commit = 0;
  /// The index of the newest configuration, and whether it is a joint one: a change of members is in progress.
  index_t configuration_index = 0;
  bool changing = false;
  /// Entries up to this index are compacted.
  index_t log_start = 0;
  /// The node lacks a state to continue from, and waits for a snapshot of another node.
  bool state_lost = false;
  /// The node is receiving a snapshot.
  bool installing = false;
  /// A leader's transfers of snapshots.
  std::vector<transfer_status> transfers = {};
};

/// A member as one node sees it.
struct member_status {
  node_id id;
  std::string address;
  bool voter = false;
  /// This node itself, or linked to it now.
  bool reachable = false;
  /// A learner that becomes a voter when it has caught up.
  bool joining = false;
  /// Not set for the node itself.
  std::optional<peer_health> health;
  /// How often this node, as leader, found that the member had lost entries that it had acknowledged, and what it found
  /// last. If it is not 0, do not trust that member's disk.
  std::uint64_t losses = 0;
  lost_entries last_loss;
};

/// The connections of an actor system.
struct network_status {
  std::size_t open_connections = 0;
  /// When the own certificate expires; not set without TLS.
  std::optional<std::chrono::system_clock::time_point> certificate_end;
  /// How often each kind of incident happened since the first transport of the actor system started, by its name in
  /// snake case (docs/operations.md).
  std::vector<std::pair<std::string, std::uint64_t>> incidents;
};

/// A node's view of itself and its cluster.
struct node_status {
  node_id id;
  cluster_id cluster;
  std::string address;
  node_phase phase = node_phase::forming;
  /// Only set while the node is running.
  std::optional<role_status> role;
  index_t applied = 0;
  /// The newest snapshot taken here; no id if there is none. `snapshot_error` tells why the last attempt failed, if it
  /// did.
  snapshot_id snapshot;
  std::string snapshot_error;
  /// The size of the services' state in bytes, as far as they report it, and its quota; 0: no limit.
  std::uint64_t state_bytes = 0;
  std::uint64_t max_state_bytes = 0;
  disk_state disk = disk_state::ok;
  /// If the disk is not ok: what failed, found no room, or for how long a write has waited.
  std::string disk_error;
  std::string leader_address;
  std::vector<member_status> members;
  /// The leader was heard within two election timeouts; everything is applied that was committed at the first contact
  /// with it in this run, and everything that was known to be committed node_options::ready_lag ago; no snapshot is
  /// being received; and the disk answers. Otherwise `not_ready` says what is missing.
  bool ready = false;
  std::string not_ready;
  network_status network;
};

} // namespace troupe

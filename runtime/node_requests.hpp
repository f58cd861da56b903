// What users ask of a node, and what it answers: the messages of `node_handle`.
#pragma once

#include "actors/cluster/cluster_events.hpp"
#include "actors/protocol/interfaces.hpp"
#include "runtime/transport/transport_status.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a node is about.
enum class node_phase : std::uint8_t {
  forming, ///< not part of a cluster yet
  opening, ///< reads its log and its state from the disk
  running,
  leaving,      ///< leaves the cluster before it ends
  handing_over, ///< hands its leadership over before it ends
  draining,     ///< waits for the answers to what is in flight before it ends
  restarting,   ///< an actor died or found the disk full; the others end, to be started again
  no_room,      ///< the disk is so full that the node cannot run; it tries again
  disk_failed,  ///< takes no part until its process is started again
  stopping,
};
/// A stable word for logs and APIs: "handing_over".
const char* to_string(node_phase phase);

enum class disk_state : std::uint8_t {
  ok,
  full,
  stalled, ///< a write has waited for longer than raft::options::disk_stall_limit
  failed,
};
const char* to_string(disk_state state);

struct member_status {
  node_id id;
  std::string address;
  bool voter = false;
  /// This node itself, or linked to it now.
  bool reachable = false;
  /// A learner that becomes a voter when it has caught up.
  bool joining = false;
  /// As this node finds; nothing for itself.
  std::optional<raft::peer_health> health;
  /// How often this node, as leader, found that the member had lost entries that it had acknowledged, and what it found
  /// last. Not 0: do not trust that member's disk.
  std::uint64_t losses = 0;
  raft::lost_entries last_loss;
};

/// A node's own view of itself and its cluster.
struct node_status {
  node_id id;
  cluster_id cluster;
  std::string address;
  node_phase phase = node_phase::forming;
  /// Only while running.
  std::optional<role_status> role;
  index_t applied = 0;
  /// The newest snapshot taken here; no id if there is none. Why the last attempt failed, if it did.
  raft::snapshot_id snapshot;
  std::string snapshot_error;
  /// How large the state of the services is here, as far as they tell, and what it may take; 0: any number.
  std::uint64_t state_bytes = 0;
  std::uint64_t max_state_bytes = 0;
  disk_state disk = disk_state::ok;
  /// If the disk is not ok: what failed, found no room or has waited for how long.
  std::string disk_error;
  std::string leader_address;
  std::vector<member_status> members;
  /// True when the leader was heard within two election timeouts, everything is applied that was committed at the first
  /// contact with it in this run and that was known to be committed node_options::ready_lag ago, no snapshot is being
  /// received, and the disk answers. `not_ready` says what is missing.
  bool ready = false;
  std::string not_ready;
  net::transport_status network;
};

struct get_status {};
/// Finish what is in flight, hand leadership over, then end; with `leave`, stop to be a member first.
struct stop_node {
  bool leave = false;
};
/// Asks for the whole state in a file: with every write that was acknowledged before, and while others go on.
struct make_backup {
  /// For the leader to be heard, and for this node to have applied what it knows of.
  std::chrono::milliseconds timeout{5000};
  /// For the file to be written after that. Then nothing is opened any more: ask with a timeout that is a little longer
  /// than both together, or what is opened for an answer that you do not take keeps others out for a minute.
  std::chrono::milliseconds write_timeout{300'000};
};
/// The backup is on this node's disk, and open: `store` gives its bytes, by read_backup, as long as the core runs and
/// something is asked for at least once a minute, whatever snapshots are taken meanwhile. close_backup ends that.
struct backup_made {
  cluster_id cluster;
  raft::snapshot_id snapshot;
  snapshot_store_handle store;
  std::uint64_t download = 0;
};
/// Asks the leader, wherever it is, for other members; answered when the new configuration is committed. A node that is
/// added joins as a learner and becomes a voter when it has caught up.
struct change_membership {
  raft::change_members change;
  std::chrono::milliseconds timeout{5000};
};
struct membership_changed {
  /// Of the configuration's entry.
  index_t index = 0;
};
/// Asks the leader to hand over to `to`, or (0) to the voter that fits best; answered when it does not lead any more.
struct move_leadership {
  node_id to;
  std::chrono::milliseconds timeout{5000};
};
struct leadership_moved {
  node_id to;
};
/// Asks for every cluster_event from now on, until the watcher ends, beginning with this node's role and the leader
/// that it knows.
struct watch_events {
  event_watcher watcher;
};
/// Restores a backup that was staged on this node (stage_piece): every service of the cluster has its state afterwards,
/// with the revisions of then. Everything else of the cluster stays as it is.
struct make_restore {
  raft::snapshot_id backup;
  /// For a majority of the nodes to get the backup. What follows takes as long as the services take to load it.
  std::chrono::milliseconds timeout{300'000};
};
struct restore_made {
  /// Where in the log it happened.
  index_t index = 0;
};
/// What a node answers. Monitor it to learn of the node's end; the reason tells why. A caf::scoped_actor or any other
/// actor may ask.
using node_handle =
    compat::handle<node_status(get_status), snapshot_result(take_snapshot), backup_made(make_backup),
                   piece_staged(stage_piece), restore_made(make_restore), membership_changed(change_membership),
                   leadership_moved(move_leadership), void(watch_events), void(stop_node)>;

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::node_status);
TROUPE_LOCAL_MESSAGE(troupe::get_status);
TROUPE_LOCAL_MESSAGE(troupe::stop_node);
TROUPE_LOCAL_MESSAGE(troupe::make_backup);
TROUPE_LOCAL_MESSAGE(troupe::backup_made);
TROUPE_LOCAL_MESSAGE(troupe::change_membership);
TROUPE_LOCAL_MESSAGE(troupe::membership_changed);
TROUPE_LOCAL_MESSAGE(troupe::move_leadership);
TROUPE_LOCAL_MESSAGE(troupe::leadership_moved);
TROUPE_LOCAL_MESSAGE(troupe::watch_events);
TROUPE_LOCAL_MESSAGE(troupe::make_restore);
TROUPE_LOCAL_MESSAGE(troupe::restore_made);

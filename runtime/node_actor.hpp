// The supervisor of a node: spawns, watches and stops everything else.
//
//   [idle] -- membership decided --> [opening] -- log_opened --> [running] -- stop_node --> [draining] --> [stopping]
//     ^                                  ^                           |  |                       ^             |
//     |                                  |  an actor of the core     |  |  to leave first       |             v
//     |                                  |  died: stop the rest      |  +---> [leaving] --------+           (gone)
//     |                                  +--------------------- [clearing]         |            |
//     |                                                              |  |          v            |
//     +-------------------------------- membership withdrawn --------+  +--> [handing_over] ----+
//                                                                        as leader, by way of leaving or not
//
// The core (role and replicators, log, snapshot and staging store, dispatcher, services) is taken down as a whole when
// one of it dies, and started again from disk: memory is never salvaged. Endpoint, links, proxy, formation, health
// monitor and member keeper live as long as the node. When the log store says that its disk failed, [clearing] leads to
// [disk_failed]: the node answers questions about itself until it is stopped, and does nothing else, for what reached
// the disk is unknown until it is opened by a new process. A full disk is no failed disk: where it does not even
// suffice to run, [clearing] and [opening] lead to [no_room], and from there to [opening] every second or more.
#pragma once

#include "actors/cluster/cluster_events.hpp"
#include "actors/cluster/member_keeper.hpp"
#include "actors/frontend/proxy.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/dispatcher.hpp"
#include "actors/replica/log_opener.hpp"
#include "actors/replica/role_context.hpp"
#include "runtime/event_watchers.hpp"
#include "runtime/node_options.hpp"
#include "runtime/transport/transport.hpp"
#include "services/member_command.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

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
  /// "forming", "opening", "running", "leaving", "handing_over", "draining", "restarting", "no_room", "disk_failed" or
  /// "stopping".
  std::string phase;
  /// Only while running.
  std::optional<role_status> role;
  index_t applied = 0;
  /// The newest snapshot taken here; no id if there is none. Why the last attempt failed, if it did.
  raft::snapshot_id snapshot;
  std::string snapshot_error;
  /// How large the state of the services is here, as far as they tell, and what it may take; 0: any number.
  std::uint64_t state_bytes = 0;
  std::uint64_t max_state_bytes = 0;
  /// "ok", "full", "stalled" or "failed"; if not ok, what failed, found no room or has waited for how long.
  std::string disk = "ok";
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
/// The actors around the core, spawned by the code that spawns the node.
struct surroundings {
  endpoint_handle endpoint;
  links_handle links;
  proxy_handle proxy;
  formation_handle formation;
  health_monitor_handle health;
};

/// A part that somebody else spawned for the node: its death ends the node, as that of a part of its own does.
struct part_started {
  caf::actor part;
  /// A front, which is drained before the node ends.
  bool is_front = false;
};

/// What users send: get_status, take_snapshot, make_backup, stage_piece, make_restore, change_membership,
/// move_leadership, watch_events, stop_node. Monitor the handle to learn of the node's end; the reason tells why.
using node_handle =
    compat::handle<node_status(get_status), snapshot_result(take_snapshot), backup_made(make_backup),
                   piece_staged(stage_piece), restore_made(make_restore), membership_changed(change_membership),
                   leadership_moved(move_leadership), void(watch_events), void(health_changed), void(leader_known),
                   void(stop_node), void(surroundings), void(part_started), void(membership_decision), void(log_opened),
                   void(role_changed), void(configuration_known), void(removed_from_cluster), void(disk_condition),
                   void(raft::broken_promise), void(timer)>;

struct node_setup {
  node_id id;
  std::string address;
  std::uint64_t seed = 0;
  raft::options raft;
  std::chrono::milliseconds drain_timeout{5000};
  std::chrono::milliseconds close_timeout{2000};
  std::chrono::milliseconds ready_lag{0};
  storage_factory open_log;
  std::vector<machine_factory> services;
  snapshot_policy snapshots;
  /// For status; the proxy keeps to it.
  std::uint64_t max_state_bytes = 0;
  raft::member_policy_options members;
  /// How many nodes are listed or expected: said when the cluster has fewer. 0: not known.
  std::size_t expected_members = 0;
  /// Empty: there is none.
  std::function<net::transport_status()> network;
  /// Real nodes give the log store a thread of its own; tests in virtual time do not.
  bool detach_log = true;
};

class node_actor : public node_handle::base {
 public:
  node_actor(caf::actor_config& config, node_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "node"; }
  void on_exit() override;

 private:
  enum class phase {
    idle,
    opening,
    running,
    leaving,
    handing_over,
    draining,
    clearing,
    no_room,
    disk_failed,
    stopping
  };

  void settle_in(const surroundings& message);
  void decided(const membership_decision& message);
  void open_core();
  void opened(opened_log& log);
  void start_core(opened_log& log);
  void wait_for_room(const std::string& why, raft::duration at_least);
  void put_off_opening(const std::string& why);
  service_table start_services(machine_set machines);
  void start_stores(opened_log& log);
  dispatcher_handle start_dispatcher(opened_log& log, const log_store_handle& store);
  void watch(const caf::actor& part);
  void on_down(const caf::down_msg& message);
  void clear_core(const caf::error& why);
  void core_cleared();
  void begin_stop(bool leave);
  void on_members(const configuration_known& message);
  void on_removed(const removed_from_cluster& message);
  void drain();
  void drain_proxy_next();
  std::chrono::milliseconds left_to_drain();
  void hand_over();
  void close_in_time();
  void abandon_core();
  void tell_service_state();
  void finish(const caf::error& why);
  caf::result<node_status> status();
  caf::result<backup_made> back_up(const make_backup& question);
  caf::result<node_status> explained(node_status now);
  void describe_members(node_status& now, const peer_list& peers, const health_report& health) const;
  template <class Done, class Failed>
  void ask_leader(const services::member_command& what, std::chrono::milliseconds timeout, Done answered,
                  Failed failed);
  template <class Result, class Render>
  caf::result<Result> ask_cluster(const services::member_command& what, std::chrono::milliseconds timeout,
                                  Render render);
  caf::result<piece_staged> stage(stage_piece piece);
  caf::result<restore_made> restore(const make_restore& question);
  void judge(node_status& now, const peer_list& peers, raft::duration applied_behind) const;
  /// Its core is there, and not being taken down: what a part of it says after that is of the past.
  bool has_core() const noexcept { return serves() || phase_ == phase::draining; }
  /// The core is there, and not being ended.
  bool serves() const noexcept {
    return phase_ == phase::running || phase_ == phase::leaving || phase_ == phase::handing_over;
  }

  node_setup setup_;
  surroundings around_;
  phase phase_ = phase::idle;
  membership_decision membership_;
  index_t told_members_at_ = 0;
  bool told_of_missing_ = false;
  /// What the log is being opened for.
  membership_decision opening_;
  /// Ends the reading of the log early when the core is not needed any more.
  std::stop_source reading_;
  raft::time_point opening_since_;
  /// In [opening]: for want of descriptors or the like it is tried again a little later.
  bool opening_put_off_ = false;
  epoch_t epoch_ = 0;
  role_changed role_;
  dispatcher_handle dispatcher_;
  snapshot_store_handle snapshots_;
  staging_handle staging_;
  /// Actors of the core that are alive.
  std::map<caf::actor_addr, caf::actor> core_;
  caf::actor_addr log_store_;
  raft::configuration members_;
  member_keeper_handle keeper_;
  /// Not 0: the committed configuration at this index does not have this node.
  index_t removed_at_ = 0;
  /// With removed_at_: because somebody asked for it, and not known to be from before this node was started.
  bool dismissed_ = false;
  raft::time_point started_ = clock().now();
  /// As in member_status. Of members only.
  struct member_losses {
    std::uint64_t count = 0;
    raft::lost_entries last;
  };
  std::map<node_id, member_losses> losses_;
  event_watchers watchers_;
  /// Beside the core and what is around it: discovery, and fronts.
  std::map<caf::actor_addr, caf::actor> fronts_;
  std::size_t fronts_holding_ = 0;
  node_id leader_;
  bool serves_ = false;
  /// Why the core is taken down; `fatal_` when the node ends with it.
  caf::error failure_;
  bool fatal_ = false;
  /// The core is taken down because the disk is full.
  bool full_ = false;
  raft::time_point complained_at_;
  timer_slot timer_;
  /// Set once the node is to end: what is in flight is not waited for any longer.
  raft::time_point drain_by_;
  /// Set while stopping: the core is not waited for any longer.
  raft::time_point close_by_;
  /// Pieces of backups that the staging store has not answered.
  std::size_t unanswered_pieces_ = 0;
  /// What the disk's failure said; what did not find room, as long as the phase is no_room, or why the opening is put
  /// off.
  std::string disk_error_;
  std::string full_error_;
  /// When the core was started again.
  std::deque<raft::time_point> restarts_;
};

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
TROUPE_LOCAL_MESSAGE(troupe::surroundings);
TROUPE_LOCAL_MESSAGE(troupe::part_started);

// The supervisor of a node: spawns, watches and stops everything else.
//
//   [forming] -- is a member ------> [opening] -- log_opened --> [running] -- stop_node --> [draining] --> [stopping]
//     ^                                  ^                           |  |                       ^             |
//     |                                  |  an actor of the replica  |  |  to leave first       |             v
//     |                                  |  died: stop the rest      |  +---> [leaving] --------+           (gone)
//     |                                  +------------------- [restarting]         |            |
//     |                                                              |  |          v            |
//     +-------------------------------- membership withdrawn --------+  +--> [handing_over] ----+
//                                                                        if it is the leader, with or without leaving
//
// The replica consists of the role and its replicators, the stores of the log, of snapshots and of
// staged backups, the dispatcher and the services. When one of its actors dies, the whole replica is stopped and
// started again from disk: nothing in memory is reused. Endpoint, links, proxy, formation, health monitor and member
// keeper live as long as the node.
//
// When the log store reports that its disk failed, [restarting] leads to [disk_failed]: until it is stopped, the node
// only answers questions about itself, since what reached the disk is unknown until a new process opens it. A full disk
// is not a failed disk. If there is not even enough room to run, [restarting] and [opening] lead to [no_room], which
// tries [opening] again every second or less often.
#pragma once

#include "actors/protocol/timer_slot.hpp"
#include "runtime/event_watchers.hpp"
#include "runtime/node_setup.hpp"
#include "runtime/node_status.hpp"
#include "runtime/replica.hpp"
#include "runtime/restart_limit.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <troupe/requests.hpp>

namespace troupe {

/// An actor of the node that other code spawned, such as discovery or a front. If it dies, the node ends, as it does
/// for the actors in `node_actors`.
struct part_started {
  caf::actor part;
  /// A front, which is drained before the node ends.
  bool is_front = false;
};

/// All messages of a node's supervisor: users' requests, and notifications of the node's own actors. Users get a
/// `node_handle`, which accepts only the former.
using node_actor_handle =
    compat::handle<node_status(get_status), snapshot_result(take_snapshot), backup_made(make_backup),
                   backup_chunk(read_backup), void(close_backup), backup_staged(stage_backup),
                   restore_made(make_restore), membership_changed(change_membership), leadership_moved(move_leadership),
                   void(watch_events), void(health_changed), void(leader_known), void(stop_node), void(node_actors),
                   void(part_started), void(membership_decision), void(log_opened), void(role_changed),
                   role_report(get_role_report), void(configuration_known), void(removed_from_cluster),
                   void(disk_condition), void(raft::broken_promise), void(timer)>;

class node_actor : public compat::typed_base<node_actor_handle> {
 public:
  node_actor(caf::actor_config& config, node_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "node"; }
  void on_end() override;

 private:
  using phase = node_phase;

  void set_actors(const node_actors& message);
  void decided(const membership_decision& message);
  void open_replica();
  void opened(opened_log& log);
  void start_replica(opened_log& log);
  void wait_for_room(const std::string& why, raft::duration at_least);
  void put_off_opening(const std::string& why);
  void watch(const caf::actor& part);
  void on_down(const caf::down_msg& message);
  void stop_replica(const caf::error& why);
  void replica_stopped();
  void begin_stop(bool leave);
  void on_members(const configuration_known& message);
  void on_removed(const removed_from_cluster& message);
  void drain();
  void drain_proxy_next();
  std::chrono::milliseconds left_to_drain();
  void hand_over();
  void close_in_time();
  void abandon_replica();
  void tell_service_state();
  void finish(const caf::error& why);
  caf::result<node_status> status();
  caf::result<backup_made> back_up(const make_backup& question);
  caf::result<node_status> explained(node_status now);
  template <class Done, class Failed>
  void ask_leader(const cluster_change& what, std::chrono::milliseconds timeout, Done answered, Failed failed);
  template <class Result, class Render>
  caf::result<Result> ask_cluster(const cluster_change& what, std::chrono::milliseconds timeout, Render render);
  caf::result<backup_staged> stage(stage_backup& chunk);
  caf::result<restore_made> restore(const make_restore& question);
  /// The replica runs and is not being stopped. After that, messages from its actors are outdated.
  bool has_replica() const noexcept { return serves() || phase_ == phase::draining; }
  /// The replica runs and accepts requests.
  bool serves() const noexcept {
    return phase_ == phase::running || phase_ == phase::leaving || phase_ == phase::handing_over;
  }

  node_setup setup_;
  node_actors around_;
  phase phase_ = phase::forming;
  membership_decision membership_;
  bool told_of_missing_ = false;
  /// The decision for which the log is being opened.
  membership_decision opening_;
  /// Stops the reading of the log early when the replica is no longer needed.
  std::stop_source reading_;
  raft::time_point opening_since_;
  /// In [opening]: descriptors, threads or the like ran out, and opening is retried a little later.
  bool opening_put_off_ = false;
  epoch_t epoch_ = 0;
  role_changed role_;
  replica_parts parts_;
  /// Actors of the replica that are alive.
  std::map<caf::actor_addr, caf::actor> replica_;
  raft::configuration members_;
  member_keeper_handle keeper_;
  /// If not 0: the committed configuration at this index does not contain this node.
  index_t removed_at_ = 0;
  /// With removed_at_: an operator asked for the removal, and it is not known to be older than this process.
  bool dismissed_ = false;
  raft::time_point started_ = clock().now();
  losses_by_member losses_;
  event_watchers watchers_;
  /// Fronts, which belong neither to the replica nor to its node_actors.
  std::map<caf::actor_addr, caf::actor> fronts_;
  std::size_t fronts_holding_ = 0;
  node_id leader_;
  bool serves_ = false;
  /// Why the replica is being stopped. `fatal_`: the node ends as well.
  caf::error failure_;
  bool fatal_ = false;
  /// The replica is being stopped because the disk is full.
  bool full_ = false;
  raft::time_point complained_at_;
  timer_slot timer_;
  /// Set once the node must end: the deadline for requests in flight.
  raft::time_point drain_by_;
  /// Set while stopping: the deadline for the end of the replica.
  raft::time_point close_by_;
  /// Chunks of backups that the staging store has not answered.
  std::size_t unanswered_chunks_ = 0;
  /// The disk's failure.
  std::string disk_error_;
  /// In [no_room]: what found no room. In [opening]: why opening waits for a retry.
  std::string full_error_;
  restart_limit restarts_;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::part_started);

// The actor around a pure role. It executes the role's output. On a role change it spawns the next role and retires.
//
//   (spawned by the node or by the previous role)
//        |  attach to the log store, announce role_changed to every sender
//        v
//     [serving] --- the pure role names a next role: spawn it with the moved state --> [retired]
//        ^   |                                                                            |
//        +---+  messages, timer                          forwards Raft messages and disk marks to the successor,
//                                                        fails proposals and reads; quits when all senders drained
#pragma once

#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/role_context.hpp"
#include "raft/candidate.hpp"
#include "raft/follower.hpp"
#include "raft/leader.hpp"

#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace troupe {

/// The retiring role, if there is one, and the message that it left for its successor to step.
struct predecessor {
  epoch_t epoch = 0;
  role_handle role;
  std::optional<raft::rpc> carry;
};

template <class Role> class role_shell : public compat::typed_base<role_handle> {
 public:
  role_shell(caf::actor_config& config, role_context context, Role role, predecessor before);

  behavior_type make_behavior() override;
  const char* name() const override;
  void on_end() override;

 private:
  void begin();
  void on_rpc(const raft::rpc& message);
  void on_proposals(const propose_batch& batch);
  void on_read(const read_index& request);
  template <class Request> void on_leader_request(const Request& request);
  void on_synced(const log_synced& synced);
  template <class Fact> void on_disk_fact(const Fact& fact);
  void on_stored(const chunk_stored& stored);
  void on_report(const replicator_report& report);
  void on_fetch(const replicator_fetch& fetch);
  void on_drained(const drained& message);
  void on_timer(const timer& message);
  role_report status() const;

  void step(const raft::event& event);
  void execute(raft::output&& out);
  void start_replicators(const raft::membership_change& change);
  void stop_replicators();
  void release(index_t up_to);
  void report_peers(const raft::output& out);
  void announce_leader();
  void announce_members();
  void record_contact(const raft::rpc& message);
  void become(raft::transition next);
  template <class Next> void spawn_successor(std::optional<raft::rpc> carry);
  template <class Message> void to_successor(const Message& message);

  role_context context_;
  Role role_;
  predecessor before_;
  timer_slot timer_;
  std::map<node_id, replicator_handle> replicators_;
  std::optional<leader_known> announced_leader_;
  /// Log position of the configuration that was announced last.
  std::optional<raft::log_position> announced_members_;
  /// The loaded state that came with the current step.
  std::shared_ptr<loaded_state> offered_;
  /// Flow marks with the number of the write before them, in rising order. A mark is released when that write is on
  /// disk, or when the disk stalls: a stalled disk is no reason to stop reading from a connection.
  std::deque<std::pair<std::uint64_t, flow_mark>> marks_;
  /// Set once this role has retired.
  role_handle successor_;
  /// Number of senders that have not answered the successor's role_changed, and may still send to this role.
  int drains_left_ = 0;
};

using follower_shell = role_shell<raft::follower>;
using candidate_shell = role_shell<raft::candidate>;
using leader_shell = role_shell<raft::leader>;

extern template class role_shell<raft::follower>;
extern template class role_shell<raft::candidate>;
extern template class role_shell<raft::leader>;

} // namespace troupe

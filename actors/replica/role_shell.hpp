// The actor around a pure role. It carries out what the role asks for and becomes the next role's predecessor.
//
//   (spawned by the node or by the role before)
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

/// What a role is started after: the retiring role, if there is one, and the message it could not step itself.
struct predecessor {
  epoch_t epoch = 0;
  role_handle role;
  std::optional<raft::rpc> carry;
};

template <class Role> class role_shell : public role_handle::base {
 public:
  role_shell(caf::actor_config& config, role_context context, Role role, predecessor before);

  behavior_type make_behavior() override;
  const char* name() const override;
  void on_exit() override;

 private:
  void begin();
  void on_rpc(const raft::rpc& message);
  void on_proposals(const propose_batch& batch);
  void on_read(const read_index& request);
  template <class Request> void on_leader_request(const Request& request);
  void on_synced(const log_synced& synced);
  template <class Fact> void on_disk_fact(const Fact& fact);
  void on_stored(const piece_stored& stored);
  void on_report(const replicator_report& report);
  void on_fetch(const replicator_fetch& fetch);
  void on_drained(const drained& message);
  void on_timer(const timer& message);
  role_status status() const;

  void step(const raft::event& event);
  void execute(raft::output&& out);
  void start_replicators(const raft::membership_change& change);
  void stop_replicators();
  void release(index_t up_to);
  void report_peers(const raft::output& out);
  void note_leader();
  void note_members();
  void note_contact(const raft::rpc& message);
  void become(raft::transition next);
  template <class Next> void hand_over(std::optional<raft::rpc> carry);
  template <class Message> void to_successor(const Message& message);

  role_context context_;
  Role role_;
  predecessor before_;
  timer_slot timer_;
  std::map<node_id, replicator_handle> replicators_;
  std::optional<leader_known> told_leader_;
  /// The place of the configuration that was told last.
  std::optional<raft::log_position> told_members_;
  /// What came with the step that is being carried out.
  std::shared_ptr<loaded_state> offered_;
  /// Each ends when the write before it is on disk, or the disk stalls: a stalled disk is not a reason to stop reading
  /// from a connection. Numbers rise.
  std::deque<std::pair<std::uint64_t, flow_mark>> marks_;
  /// Set when this role has retired.
  role_handle successor_;
  /// Senders that may still send to this role, as they have not answered the successor's role_changed.
  int drains_left_ = 0;
};

using follower_shell = role_shell<raft::follower>;
using candidate_shell = role_shell<raft::candidate>;
using leader_shell = role_shell<raft::leader>;

extern template class role_shell<raft::follower>;
extern template class role_shell<raft::candidate>;
extern template class role_shell<raft::leader>;

} // namespace troupe

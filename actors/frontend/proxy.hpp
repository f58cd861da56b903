// Takes the commands of a node or of a client process, forwards them to the leader, and answers each command exactly
// once, by its deadline, as committed, rejected (surely not done) or unknown.
//
// The states of a command:
//
//              +----------------- surely not done: retry --------------------+
//              v                                                             |
//   (admitted) [waiting] -- write, this node leads --> [proposed] -- in the log --> [accepted] -- applied --> (done)
//               |  |  |
//               |  |  +-- another node leads, or in a client --> [forwarded] -- outcome --> (done)
//               |  +----- linearizable read --> [confirming] -- index --> [reading] -- answer of the --> (done)
//               +-------- stale read -------------------------------------^            dispatcher
//
//   A write beyond the state quota is in [checking_quota] between [waiting] and [proposed], while the proxy asks its
//   service whether the write would make the state larger.
//
//   At the deadline, a write that left [waiting] and [checking_quota] is unknown, because it may have been done. All
//   other commands are rejected.
//   When the replica or a link is lost, the writes that it held are unknown, and its reads are retried. When the proxy
//   ends, writes are treated the same, and reads are rejected.
//   If an accepted command's index is applied with an entry of another term, the command is surely not done.
//   If a snapshot covers its index before this node applied it, the command is unknown.
//
// The proxy:  [serving] -- drain_proxy --> [draining: new commands are rejected] -- none pending --> quits
#pragma once

#include "actors/frontend/command_queues.hpp"
#include "actors/frontend/outbox.hpp"
#include "actors/frontend/pending_table.hpp"
#include "actors/frontend/read_confirmations.hpp"
#include "actors/frontend/routes.hpp"
#include "actors/frontend/state_quota.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "services/command.hpp"

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct proxy_options {
  /// The node to which this proxy belongs; 0 for a client's proxy.
  node_id self;
  /// The address at which this node can be dialed, for leader hints.
  std::string address;
  /// The maximum number of unanswered commands, and of their bytes. More are rejected as overloaded.
  std::size_t max_pending = 100'000;
  std::size_t max_pending_bytes = 64 << 20;
  /// The maximum payload of one command, and the maximum `size_of` a change of the cluster. A larger one is rejected as
  /// too_large.
  std::size_t max_command_bytes = (2 << 20) + (64 << 10); // a compare-and-swap names two of the map's largest values
  /// The maximum size of a result. A larger one is not returned, because the network would not carry it.
  std::size_t max_result_bytes = 8 << 20;
  /// Batches are split into messages of about this size.
  std::size_t max_message_bytes = 1 << 20;
  /// The state quota: the maximum size of all services' state in bytes; 0: no limit. Beyond it, a leader's proxy
  /// proposes only commands that do not make the state larger. Proposed commands count by their payload.
  std::uint64_t max_state_bytes = 0;
  /// The timeout of commands with timeout 0.
  std::chrono::milliseconds default_timeout{5'000};
  /// The maximum timeout of a command.
  std::chrono::milliseconds max_timeout{300'000};
  /// How often deadlines are checked and rejected commands are retried, while any command is pending. A command is
  /// answered up to this much before its deadline rather than after it.
  std::chrono::milliseconds sweep_interval{10};
  /// A client that lost writes with a connection sends nothing for this long. Other nodes may notice the loss of that
  /// node up to this much later. Until then they would forward commands to it, and lose them.
  std::chrono::milliseconds loss_pause{200};
};

class proxy : public compat::typed_base<proxy_handle> {
 public:
  proxy(caf::actor_config& config, proxy_options options);
  behavior_type make_behavior() override;
  const char* name() const override { return "proxy"; }
  void on_end() override;

 private:
  // Incoming messages (proxy.cpp).
  void on_commands(const command_batch& batch);
  void on_outcomes(outcome_batch& batch);
  void on_index_request(const read_index_request& request);
  void on_index_answer(const read_index_answer& answer);
  void on_proposals_settled(const proposals_settled& settled);
  void on_reads_settled(const reads_settled& settled);
  void on_transfer_failed(const raft::failed& failed);
  void on_applied(applied_batch& batch);
  void on_covered(index_t up_to);
  void refuse(raft::tag_t tag, raft::reject_reason why, node_id leader);
  void on_queried(queried_batch& batch);
  void on_role_changed(const role_changed& change);
  void on_link_up(const link_up& link);
  void on_link_down(node_id peer);
  void on_removal(bool removed);
  void on_replica_up(const replica_up& replica);
  void on_replica_down(const replica_down& what);
  void on_timer(const timer& message);
  caf::result<proxy_drained> on_drain();

  /// Queues a command that was admitted. `timeout_ms` is as in the `command` of the network.
  void take(pending_command asked, std::uint32_t timeout_ms);
  /// Returns why a command or change of this size is rejected, or `none`. `forbidden`: its sender may not ask for it.
  errc admission(access how, std::size_t bytes, bool from_proxy, bool forbidden) const;
  std::string text_of(errc refusal) const;
  void confirmed(raft::tag_t number, index_t index);
  void not_confirmed(raft::tag_t number, node_id hint);
  void retry(raft::tag_t tag);
  void settle(raft::tag_t tag, command_outcome outcome);
  void settle(raft::tag_t tag, errc code, std::string text);
  void expire(raft::tag_t tag);
  void end_all();

  // Outgoing messages (proxy_send.cpp).
  /// Ensures that a flush follows.
  void wake();
  void on_flush();
  void propose_and_forward();
  bool divert(raft::tag_t tag, const raft::bytes& payload);
  void ask_role(raft::tag_t tag, pending_command& command);
  void check_quota(raft::tag_t tag, const services::command_view& what);
  void on_quota_checked(const command_outcome& answer);
  void forward(const routes::link& to);
  void confirm_reads();
  void read_stale();
  void read_at(index_t at, const std::vector<raft::tag_t>& tags);
  void deliver();

  proxy_options options_;
  routes routes_;
  pending_table pending_;
  outbox outbox_;
  timer_slot timer_;
  bool flushing_ = false;

  command_queues queues_;
  /// Requests of other nodes' proxies for a read index.
  std::vector<remote_read> index_requests_;
  read_confirmations confirmations_;
  state_quota quota_;

  accepted_order accepted_;
  /// Every entry up to here has been applied and reported.
  index_t applied_ = 0;
  role_handle role_;
  dispatcher_handle dispatcher_;
  std::set<std::string, std::less<>> services_;
  /// With a code: why commands are rejected.
  replica_down down_;
  bool removed_ = false;
  /// In a client: the last problem with one of its addresses.
  std::string problem_;
  raft::time_point paused_until_;

  bool draining_ = false;
  std::vector<caf::typed_response_promise<proxy_drained>> drained_;
};

} // namespace troupe

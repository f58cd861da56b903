// The front door of a node, or of a client process: takes commands, finds whoever can carry them out, and answers each
// exactly once, by its deadline, as committed, surely not done, or unknown.
//
// A command:
//
//              +------------- surely not done: another attempt --------------+
//              v                                                             |
//   (admitted) [waiting] -- write, this node leads --> [proposed] -- in the log --> [accepted] -- applied --> (done)
//               |  |  |
//               |  |  +-- led elsewhere, or a client --> [forwarded] -- outcome --> (done)
//               |  +----- linearizable read --> [confirming] -- index --> [reading] -- the dispatcher's --> (done)
//               +-------- stale read -------------------------------------^            answer
//
//   A write beyond the quota of the state is [weighing] between [waiting] and [proposed]: its service is asked whether
//   it would add to the state.
//
//   deadline: a write that left [waiting] and [weighing] may have been done: it is unknown. All else is rejected.
//   core or link lost: writes that it held are unknown, reads start over. The proxy's end: the same, and reads are
//   rejected.
//   accepted, but another term's entry is applied at its index: surely not done.
//   accepted, but the index passes unseen (a snapshot covered it): unknown.
//
// The proxy:  [serving] -- drain_proxy --> [draining: new commands are rejected] -- nothing left --> quits
#pragma once

#include "actors/frontend/outbox.hpp"
#include "actors/frontend/pending_table.hpp"
#include "actors/frontend/routes.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "services/command.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

struct proxy_options {
  /// The node this proxy belongs to; 0 makes it a client's.
  node_id self;
  /// Where this node can be dialed, for hints.
  std::string address;
  /// What may be unanswered; more is rejected as overloaded.
  std::size_t max_pending = 100'000;
  std::size_t max_pending_bytes = 64 << 20;
  /// The largest payload of one command; more is rejected as too_large.
  std::size_t max_command_bytes = (2 << 20) + (64 << 10); // a compare-and-swap names two of the map's largest values
  /// The largest result; one beyond it is not passed on, as the network would not carry it.
  std::size_t max_result_bytes = 8 << 20;
  /// Batches are cut into messages of about this size.
  std::size_t max_message_bytes = 1 << 20;
  /// Bytes that the services' state may take; 0: any number. Once it is reached this proxy, where its node leads, lets
  /// only commands into the log that do not add to it. What is on its way counts by its payload.
  std::uint64_t max_state_bytes = 0;
  /// For commands with timeout 0, and the most that any may ask for.
  std::chrono::milliseconds default_timeout{5'000};
  std::chrono::milliseconds max_timeout{300'000};
  /// While anything is pending: how often deadlines are looked at and refused commands are tried again. A command is
  /// answered up to this much before its deadline rather than after it.
  std::chrono::milliseconds sweep_interval{10};
  /// A client that lost writes with a connection sends nothing for so long: the other nodes notice the same death up to
  /// so much later, and would lose what they are given for that node.
  std::chrono::milliseconds loss_pause{200};
};

class proxy : public proxy_handle::base {
 public:
  proxy(caf::actor_config& config, proxy_options options);
  behavior_type make_behavior() override;
  const char* name() const override { return "proxy"; }
  void on_exit() override;

 private:
  /// One question for an index, on behalf of everything that waited for one at that moment.
  struct confirmation {
    struct remote {
      asker_handle asker;
      std::uint64_t number = 0;
    };
    /// Who was asked.
    node_id by;
    std::vector<raft::tag_t> reads;
    std::vector<remote> remotes;
    raft::time_point deadline;
  };
  using lane = std::deque<raft::tag_t>;

  // What comes in (proxy.cpp).
  void on_commands(const command_batch& batch);
  void on_outcomes(outcome_batch& batch);
  void on_index_request(const read_index_request& request);
  void on_index_answer(const read_index_answer& answer);
  void on_proposals_settled(const proposals_settled& settled);
  void on_reads_settled(const reads_settled& settled);
  void on_applied(applied_batch& batch);
  void on_covered(index_t up_to);
  void refuse(raft::tag_t tag, raft::refusal why, node_id leader);
  void on_queried(queried_batch& batch);
  void on_role_changed(const role_changed& change);
  void on_link_up(const link_up& link);
  void on_link_down(node_id peer);
  void on_removal(bool removed);
  void on_core_up(const core_up& core);
  void on_core_down(const core_down& what);
  void on_timer(const timer& message);
  caf::result<proxy_drained> on_drain();

  /// `trusted`: from this process, or from a member's proxy.
  errc admission(const command& asked, bool from_proxy, bool trusted) const;
  std::string text_of(errc refusal) const;
  void confirmed(raft::tag_t number, index_t index);
  void not_confirmed(raft::tag_t number, node_id hint);
  void start_over(raft::tag_t tag);
  void settle(raft::tag_t tag, command_outcome outcome);
  void settle(raft::tag_t tag, errc code, std::string text);
  void expire(raft::tag_t tag);
  void end_all();

  // What goes out (proxy_flush.cpp).
  /// Makes sure that a flush follows.
  void wake();
  void on_flush();
  void propose_and_forward();
  bool divert(raft::tag_t tag, const raft::bytes& payload);
  bool over_quota(const services::command_view& what) const;
  void weigh(raft::tag_t tag, const services::command_view& what);
  void weighed(const command_outcome& answer);
  void forward(const routes::link& to);
  void confirm_reads();
  void read_stale();
  void read_at(index_t at, const std::vector<raft::tag_t>& tags);
  void deliver();
  lane& lane_of(const pending_command& command);
  void prune_lanes();
  template <class Use> void drain(lane& from, Use use);

  proxy_options options_;
  routes routes_;
  pending_table pending_;
  outbox outbox_;
  timer_slot timer_;
  bool flushing_ = false;

  /// Waiting commands: for a log or an upstream; for an index; for the dispatcher; for this leader and nobody else.
  lane writes_;
  lane reads_;
  lane stale_reads_;
  lane from_proxies_;
  std::vector<confirmation::remote> index_requests_;
  std::unordered_map<raft::tag_t, confirmation> confirmations_;

  accepted_order accepted_;
  /// Every entry up to here has been applied and reported.
  index_t applied_ = 0;
  role_handle role_;
  dispatcher_handle dispatcher_;
  std::set<std::string, std::less<>> services_;
  /// See core_up.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> harmless_;
  std::uint64_t state_bytes_ = 0;
  /// With a code: why commands are refused.
  core_down down_;
  bool removed_ = false;
  /// Of a client: what went wrong last with one of its addresses.
  std::string problem_;
  raft::time_point paused_until_;

  bool draining_ = false;
  std::vector<caf::typed_response_promise<proxy_drained>> drained_;
};

} // namespace troupe

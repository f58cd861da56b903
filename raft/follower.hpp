// The follower: appends what the leader sends, votes, and campaigns when the leader falls silent.
#pragma once

#include "raft/events.hpp"
#include "raft/node_state.hpp"

#include <optional>

namespace troupe::raft {

class candidate;
class leader;

class follower {
 public:
  /// A node that has just started and knows no leader.
  explicit follower(node_state&& state);
  /// Steps down. The message that the transition carries names the leader or the higher term.
  explicit follower(candidate&& from);
  explicit follower(leader&& from);

  static constexpr role_kind kind = role_kind::follower;
  output start(time_point now);
  output step(const event& what, time_point now);
  std::optional<time_point> deadline() const;
  const node_state& state() const noexcept { return state_; }
  node_state release() && { return std::move(state_); }
  /// The leader of the current term, if known.
  node_id leader_hint() const noexcept { return leader_; }
  /// When this node last heard from a leader; nullopt if it never has.
  std::optional<time_point> leader_heard() const noexcept { return heard_; }
  /// True if the leader has asked this node to campaign (leadership transfer).
  bool asked_to_campaign() const noexcept { return asked_to_campaign_; }

 private:
  void on(const tick&, time_point now, output& out);
  void on(const rpc& message, time_point now, output& out);
  void on(const propose& what, time_point now, output& out);
  void on(const read_request& what, time_point now, output& out);
  void on(const change_members& what, time_point now, output& out);
  void on(const transfer_leadership& what, time_point now, output& out);
  void on(const persisted& what, time_point now, output& out);
  void on(const peer_report& what, time_point now, output& out);
  void on(const snapshot_stored& what, time_point now, output& out);
  void on(const snapshot_taken& what, time_point now, output& out);
  void on(const disk_space& what, time_point now, output& out);
  void on(const state_missing& what, time_point now, output& out);

  void receive(const vote_request& request, time_point now, output& out);
  void receive(const vote_response& response, time_point now, output& out);
  void receive(const append_request& request, time_point now, output& out);
  void receive(const append_response& response, time_point now, output& out);
  void receive(const snapshot_request& request, time_point now, output& out);
  void receive(const snapshot_response& response, time_point now, output& out);
  void receive(const timeout_now& order, time_point now, output& out);
  void receive(const removed_notice& notice, time_point now, output& out);
  void receive(const removed_answer& answer, time_point now, output& out);

  /// Accepts the sender of a request as leader and adopts its term. Refuses and returns false if that term is stale.
  template <class Request> bool follow(const Request& request, time_point now, output& out);
  /// Adopts a higher term from a response.
  void adopt_term(const header& head, time_point now, output& out);
  void rearm(time_point now);

  /// When a leader was last heard, by this role or an earlier one; this node itself counts while it led.
  std::optional<time_point> heard_;
  node_state state_;
  node_id leader_;
  bool asked_to_campaign_ = false;
  /// When this node campaigns or, as a learner, asks the voters. Not set when it may do neither.
  std::optional<time_point> election_at_;
};

} // namespace troupe::raft

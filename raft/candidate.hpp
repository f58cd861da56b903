// The candidate: runs a pre-vote, then campaigns.
#pragma once

#include "raft/events.hpp"
#include "raft/node_state.hpp"

#include <optional>
#include <set>
#include <vector>

namespace troupe::raft {

class follower;

class candidate {
 public:
  explicit candidate(follower&& from);

  static constexpr role_kind kind = role_kind::candidate;
  output start(time_point now);
  output step(const event& what, time_point now);
  std::optional<time_point> deadline() const;
  const node_state& state() const noexcept { return state_; }
  node_state release() && { return std::move(state_); }
  node_id leader_hint() const noexcept { return {}; }
  std::optional<time_point> leader_heard() const noexcept { return heard_; }

 private:
  /// pre_vote: pre-vote requests are out, the term is unchanged. vote: the term was raised; the candidate's own vote is
  /// on disk or on its way there.
  enum class phase { pre_vote, vote };

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

  void ask(time_point now, output& out);
  void fall_back(output& out);
  void campaign(time_point now, output& out);
  void count(time_point now, output& out);
  /// Handles a leader's request. A leader of this term or a later one ends the candidacy.
  template <class Request> void defer_to(const Request& request, output& out);

  std::optional<time_point> heard_;
  /// The leader asked for this election. It needs no pre-vote, and its vote requests have `transfer` set.
  bool asked_to_campaign_;
  node_state state_;
  phase phase_ = phase::pre_vote;
  /// The voters that granted a vote in this phase. In phase `vote` the candidate's own vote is added only once durable.
  std::set<node_id> votes_;
  /// The number of the write that contains the candidate's own vote.
  std::uint64_t vote_write_ = 0;
  std::optional<time_point> retry_at_;
};

} // namespace troupe::raft

#include "raft/follower.hpp"

#include "raft/append_rules.hpp"
#include "raft/candidate.hpp"
#include "raft/leader.hpp"
#include "raft/vote_rules.hpp"

#include <stdexcept>

namespace troupe::raft {

follower::follower(node_state&& state) : state_(std::move(state)) {}
follower::follower(candidate&& from) : state_(std::move(from).release()) {}
follower::follower(leader&& from) : state_(std::move(from).release()) {}

output follower::start(time_point now) {
  output out;
  rearm(now);
  // A node that is the whole quorum has nobody to wait for.
  const auto& c = state_.members();
  if (c.voters.size() == 1 && !c.joint() && state_.is_voter()) election_at_ = now;
  return out;
}

output follower::step(const event& what, time_point now) {
  output out;
  std::visit([&](const auto& e) { on(e, now, out); }, what);
  return out;
}

void follower::on(const tick&, time_point now, output& out) {
  if (election_at_ && now >= *election_at_) out.next_role = transition{role_kind::candidate, std::nullopt};
}

void follower::on(const rpc& message, time_point now, output& out) {
  std::visit([&](const auto& m) { receive(m, now, out); }, message);
}

void follower::on(const propose& what, time_point, output& out) {
  for (const auto& p : what.proposals) out.failed_now.push_back({p.tag, refusal::not_leader, leader_});
}

void follower::on(const read_request& what, time_point, output& out) {
  out.failed_now.push_back({what.tag, refusal::not_leader, leader_});
}

void follower::on(const persisted& what, time_point, output& out) {
  state_.persisted_to(what.mark);
  state_.release_commits(out);
}

void follower::on(const peer_report&, time_point, output&) {
  // From a replicator of a leadership that is over.
}

void follower::receive(const vote_request& request, time_point now, output& out) {
  const bool sticky = leader_ && heard_ && now - *heard_ < state_.opts().election_min;
  if (request.pre) {
    state_.send_durably(out, answer_pre_vote(request, state_, sticky));
    return;
  }
  if (request.head.term > state_.term()) {
    // A node that cannot hear the leader must not depose it while others do.
    if (sticky) return;
    state_.set_hard(out, request.head.term, {});
    leader_ = {};
  }
  auto response = refuse_vote(request, state_);
  const auto voted = state_.voted_for();
  if (request.head.term == state_.term() && (!voted || voted == request.head.from) &&
      up_to_date(request, state_.log())) {
    if (!voted) state_.set_hard(out, state_.term(), request.head.from);
    response.granted = true;
    rearm(now);
  }
  state_.send_durably(out, response);
}

void follower::receive(const vote_response& response, time_point now, output& out) {
  if ((response.pre && response.granted) || response.head.term <= state_.term()) return;
  state_.set_hard(out, response.head.term, {});
  leader_ = {};
  rearm(now);
}

void follower::receive(const append_request& request, time_point now, output& out) {
  if (!well_formed(request)) return;
  if (request.head.term < state_.term()) {
    state_.send_durably(out, refuse_append(request, state_));
    return;
  }
  if (request.head.term > state_.term()) {
    state_.set_hard(out, request.head.term, {});
    leader_ = {};
  }
  if (leader_ && leader_ != request.head.from) throw std::logic_error("raft: two leaders in one term");
  leader_ = request.head.from;
  heard_ = now;
  state_.send_durably(out, accept_entries(request, state_, out));
  state_.release_commits(out);
  rearm(now);
}

void follower::receive(const append_response& response, time_point now, output& out) {
  if (response.head.term <= state_.term()) return;
  state_.set_hard(out, response.head.term, {});
  leader_ = {};
  rearm(now);
}

void follower::rearm(time_point now) {
  election_at_.reset();
  const auto& o = state_.opts();
  if (state_.is_voter()) election_at_ = now + state_.random().between(o.election_min, o.election_max);
}

} // namespace troupe::raft

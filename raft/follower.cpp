#include "raft/follower.hpp"

#include "raft/append_rules.hpp"
#include "raft/candidate.hpp"
#include "raft/leader.hpp"
#include "raft/vote_rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::raft {

follower::follower(node_state&& state) : state_(std::move(state)) {}
follower::follower(candidate&& from) : heard_(from.leader_heard()), state_(std::move(from).release()) {}
follower::follower(leader&& from) : heard_(from.leader_heard()), state_(std::move(from).release()) {}

output follower::start(time_point now) {
  output out;
  state_.enter(tick{}, now, out);
  rearm(now);
  // A sole voter need not wait for other nodes.
  const auto& c = state_.members();
  if (c.voters.size() == 1 && !c.joint() && c.is_voter(state_.self()) && state_.may_campaign()) election_at_ = now;
  return out;
}

std::optional<time_point> follower::deadline() const {
  const auto disk = state_.disk_deadline();
  return disk && election_at_ ? std::min(disk, election_at_) : disk ? disk : election_at_;
}

output follower::step(const event& what, time_point now) {
  output out;
  state_.enter(what, now, out);
  // A change of the disk's state changes whether this node may campaign.
  if (out.disk_stalled) rearm(now);
  std::visit([&](const auto& e) { on(e, now, out); }, what);
  return out;
}

void follower::on(const tick&, time_point now, output& out) {
  if (!election_at_ || now < *election_at_) return;
  if (state_.may_campaign()) {
    out.next_role = transition{role_kind::candidate, std::nullopt};
  } else {
    // A learner sends pre-vote requests too. It cannot win, but a response may say that it was removed.
    ask_voters(state_, true, false, out.send_now);
    rearm(now);
  }
}

void follower::on(const rpc& message, time_point now, output& out) {
  if (head_of(message).term > state_.term() && !state_.disk_takes_terms()) return;
  std::visit([&](const auto& m) { receive(m, now, out); }, message);
}

void follower::on(const propose& what, time_point, output& out) {
  for (const auto& p : what.proposals) out.failed_proposals.push_back({p.tag, reject_reason::not_leader, leader_});
}

void follower::on(const read_request& what, time_point, output& out) {
  out.failed_reads.push_back({what.tag, reject_reason::not_leader, leader_});
}

void follower::on(const change_members& what, time_point, output& out) {
  out.failed_proposals.push_back({what.tag, reject_reason::not_leader, leader_});
}

void follower::on(const transfer_leadership& what, time_point, output& out) {
  out.failed_proposals.push_back({what.tag, reject_reason::not_leader, leader_});
}

void follower::on(const persisted&, time_point, output&) {
  // node_state::enter has handled it.
}

void follower::on(const peer_report&, time_point, output&) {
  // From a replicator of an earlier leadership.
}

void follower::on(const snapshot_stored& what, time_point now, output& out) {
  const auto session = state_.note_stored();
  const bool usable = !what.complete || state_.install(out, *what.complete);
  // The snapshot may have made this node a voter, or restored its state.
  if (out.load) rearm(now);
  // If another node leads now, the snapshot on disk still counts, but its sender gets no response.
  if (what.leader != leader_ || !session) return;
  if (what.complete && usable) {
    append_response done;
    done.head = state_.to(leader_);
    done.success = true;
    done.prev_index = done.match = what.complete->last.index;
    done.round = what.round;
    done.session = *session;
    done.incarnation = state_.incarnation();
    state_.send_durably(out, done);
    state_.release_commits(out);
  } else {
    state_.send_durably(out, snapshot_response{state_.to(leader_), what.snapshot, what.offset, what.next,
                                               what.failed || !usable, what.round, what.no_room, *session,
                                               state_.incarnation()});
  }
}

void follower::on(const snapshot_taken& what, time_point, output& out) {
  state_.note_taken(what);
  state_.compact(out);
}

void follower::on(const disk_space& what, time_point, output&) { state_.note_room(what.enough); }

void follower::on(const state_missing& what, time_point, output&) { state_.note_missing(what.index); }

void follower::receive(const vote_request& request, time_point now, output& out) {
  const bool sticky = !request.transfer && leader_ && heard_ && now - *heard_ < state_.opts().election_min;
  notify_removed(request.head.from, state_, now, out);
  if (request.pre) {
    state_.send_durably(out, answer_pre_vote(request, state_, sticky));
    return;
  }
  if (request.head.term > state_.term()) {
    // A node that cannot hear the leader must not depose it while other nodes still hear it.
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
  if (!(response.pre && response.granted)) adopt_term(response.head, now, out);
}

void follower::receive(const append_request& request, time_point now, output& out) {
  if (!well_formed(request) || !follow(request, now, out)) return;
  const auto answer = accept_entries(request, state_, out);
  // The log catches up from here without another node's snapshot. A probe alone does not show that.
  const bool goes_on = !request.entries.empty() || answer.match >= request.commit;
  if (answer.success && goes_on && state_.needs_snapshot() == 0) state_.note_installing(false);
  state_.send_durably(out, answer);
  state_.release_commits(out);
  // Must come last: the entries may have made this node a voter.
  rearm(now);
}

void follower::receive(const append_response& response, time_point now, output& out) {
  adopt_term(response.head, now, out);
}

void follower::receive(const snapshot_request& request, time_point now, output& out) {
  if (!follow(request, now, out)) return;
  state_.note_known_commit(request.snapshot.last.index);
  state_.note_installing(true);
  state_.store(out, request);
  rearm(now);
}

void follower::receive(const snapshot_response& response, time_point now, output& out) {
  adopt_term(response.head, now, out);
}

void follower::receive(const timeout_now& order, time_point, output& out) {
  asked_to_campaign_ = order.head.term == state_.term() && order.head.from == leader_ && state_.may_campaign();
  if (asked_to_campaign_) out.next_role = transition{role_kind::candidate, std::nullopt};
}

void follower::receive(const removed_notice& notice, time_point now, output& out) {
  if (!state_.note_removed(out, notice, now)) return;
  state_.send_durably(out, removed_answer{state_.to(notice.head.from), notice.index});
  rearm(now);
}

void follower::receive(const removed_answer&, time_point, output&) {
  // For an earlier leadership.
}

template <class Request> bool follower::follow(const Request& request, time_point now, output& out) {
  if (request.head.term < state_.term()) {
    state_.send_durably(out, refuse_stale(request, state_));
    return false;
  }
  if (request.head.term > state_.term()) {
    state_.set_hard(out, request.head.term, {});
    leader_ = {};
  }
  if (leader_ && leader_ != request.head.from) throw std::logic_error("raft: two leaders in one term");
  leader_ = request.head.from;
  heard_ = now;
  return true;
}

void follower::adopt_term(const header& head, time_point now, output& out) {
  if (head.term <= state_.term()) return;
  state_.set_hard(out, head.term, {});
  leader_ = {};
  rearm(now);
}

void follower::rearm(time_point now) {
  election_at_.reset();
  if (state_.may_campaign() || state_.may_ask()) election_at_ = now + state_.draw_election_timeout();
}

} // namespace troupe::raft

#include "raft/candidate.hpp"

#include "raft/follower.hpp"
#include "raft/quorum.hpp"
#include "raft/vote_rules.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

void become_follower(output& out, rpc carry) { out.next_role = transition{role_kind::follower, std::move(carry)}; }

} // namespace

candidate::candidate(follower&& from)
    : heard_(from.leader_heard()), asked_to_campaign_(from.asked_to_campaign()), state_(std::move(from).release()) {}

std::optional<time_point> candidate::deadline() const {
  const auto disk = state_.disk_deadline();
  return disk && retry_at_ ? std::min(disk, retry_at_) : retry_at_;
}

output candidate::start(time_point now) {
  output out;
  state_.enter(tick{}, now, out);
  retry_at_ = now;
  if (state_.disk_stalled()) {
    fall_back(out);
  } else if (asked_to_campaign_) {
    campaign(now, out);
  } else {
    ask(now, out);
  }
  return out;
}

output candidate::step(const event& what, time_point now) {
  output out;
  state_.enter(what, now, out);
  if (state_.disk_stalled()) retry_at_ = now;
  std::visit([&](const auto& e) { on(e, now, out); }, what);
  return out;
}

void candidate::on(const tick&, time_point now, output& out) {
  if (state_.disk_stalled())
    fall_back(out);
  else if (now >= *retry_at_)
    ask(now, out);
}

/// Its own vote does not reach the disk, so it cannot win.
void candidate::fall_back(output& out) { out.next_role = transition{role_kind::follower, std::nullopt}; }

void candidate::on(const rpc& message, time_point now, output& out) {
  std::visit([&](const auto& m) { receive(m, now, out); }, message);
}

void candidate::on(const propose& what, time_point, output& out) {
  for (const auto& p : what.proposals) out.failed_proposals.push_back({p.tag, reject_reason::not_leader, {}});
}

void candidate::on(const read_request& what, time_point, output& out) {
  out.failed_reads.push_back({what.tag, reject_reason::not_leader, {}});
}

void candidate::on(const change_members& what, time_point, output& out) {
  out.failed_proposals.push_back({what.tag, reject_reason::not_leader, {}});
}

void candidate::on(const transfer_leadership& what, time_point, output& out) {
  out.failed_proposals.push_back({what.tag, reject_reason::not_leader, {}});
}

void candidate::on(const persisted& what, time_point now, output& out) {
  if (phase_ != phase::vote || what.mark.number < vote_write_ || votes_.contains(state_.self())) return;
  votes_.insert(state_.self());
  // If the disk was too slow, this election has timed out and the requests must not be sent: those of a leadership
  // transfer would depose a leader that was elected meanwhile.
  if (now < *retry_at_) ask_voters(state_, false, asked_to_campaign_, out.send_now);
  count(now, out);
}

void candidate::on(const peer_report&, time_point, output&) {
  // From a replicator of an earlier leadership.
}

void candidate::on(const snapshot_stored& what, time_point, output& out) {
  state_.note_stored();
  if (!what.complete) return;
  // The leader that sent it is silent now, but the snapshot on disk still counts: it holds committed entries only, so
  // the resulting log is at least as up to date as the one for which others voted.
  state_.install(out, *what.complete);
  state_.release_commits(out);
  if (out.load && !state_.may_campaign()) out.next_role = transition{role_kind::follower, std::nullopt};
}

void candidate::on(const snapshot_taken& what, time_point, output& out) {
  state_.note_taken(what);
  state_.compact(out);
}

void candidate::on(const disk_space& what, time_point, output&) { state_.note_room(what.enough); }

void candidate::on(const state_missing& what, time_point, output&) { state_.note_missing(what.index); }

void candidate::receive(const vote_request& request, time_point now, output& out) {
  notify_removed(request.head.from, state_, now, out);
  if (request.pre) {
    state_.send_durably(out, answer_pre_vote(request, state_, false));
  } else if (request.head.term > state_.term()) {
    become_follower(out, request);
  } else {
    state_.send_durably(out, refuse_vote(request, state_));
  }
}

void candidate::receive(const vote_response& response, time_point now, output& out) {
  const bool hypothetical = response.pre && response.granted;
  if (!hypothetical && response.head.term > state_.term()) {
    become_follower(out, response);
    return;
  }
  // Only grants count. A late refusal from an earlier round says nothing about this one.
  const auto asked_in = phase_ == phase::pre_vote ? state_.term() + 1 : state_.term();
  if (!response.granted || response.pre != (phase_ == phase::pre_vote) || response.head.term != asked_in ||
      !state_.members().is_voter(response.head.from))
    return;
  votes_.insert(response.head.from);
  count(now, out);
}

void candidate::receive(const append_request& request, time_point, output& out) { defer_to(request, out); }

void candidate::receive(const append_response& response, time_point, output& out) {
  if (response.head.term > state_.term()) become_follower(out, response);
}

void candidate::receive(const snapshot_request& request, time_point, output& out) { defer_to(request, out); }

void candidate::receive(const snapshot_response& response, time_point, output& out) {
  if (response.head.term > state_.term()) become_follower(out, response);
}

void candidate::receive(const timeout_now&, time_point, output&) {
  // It already campaigns.
}

void candidate::receive(const removed_notice& notice, time_point now, output& out) {
  if (state_.note_removed(out, notice, now)) become_follower(out, notice);
}

void candidate::receive(const removed_answer&, time_point, output&) {
  // For an earlier leadership.
}

template <class Request> void candidate::defer_to(const Request& request, output& out) {
  if (request.head.term >= state_.term()) {
    become_follower(out, request);
  } else {
    state_.send_durably(out, refuse_stale(request, state_));
  }
}

void candidate::ask(time_point now, output& out) {
  phase_ = phase::pre_vote;
  asked_to_campaign_ = false;
  votes_.clear();
  votes_.insert(state_.self());
  retry_at_ = now + state_.draw_election_timeout();
  ask_voters(state_, true, false, out.send_now);
  count(now, out);
}

void candidate::count(time_point now, output& out) {
  const bool won = has_quorum(state_.members(), [&](node_id id) { return votes_.contains(id); });
  if (!won || state_.disk_stalled()) return;
  if (phase_ == phase::vote) {
    out.next_role = transition{role_kind::leader, std::nullopt};
  } else {
    campaign(now, out);
  }
}

void candidate::campaign(time_point now, output& out) {
  phase_ = phase::vote;
  votes_.clear();
  state_.set_hard(out, state_.term() + 1, state_.self());
  vote_write_ = state_.last_write();
  retry_at_ = now + state_.draw_election_timeout();
}

} // namespace troupe::raft

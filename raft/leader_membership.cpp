// The part of the leader that changes the members and notifies removed nodes.
#include "raft/leader.hpp"
#include "raft/membership_rules.hpp"
#include "raft/quorum.hpp"

#include <algorithm>

namespace troupe::raft {

void leader::on(const change_members& what, time_point now, output& out) {
  if (const auto why = cannot_change(what)) {
    out.failed_proposals.push_back({what.tag, *why, state_.self()});
    return;
  }
  const auto& from = state_.members();
  const auto goal = with_promotions(changed(from, what, state_.log().last_index() + 1), now);
  if (goal == from || goal.voters.empty()) {
    const auto why = goal == from ? refusal::nothing_to_change : refusal::no_voter_left;
    out.failed_proposals.push_back({what.tag, why, state_.self()});
    return;
  }
  if (const auto why = size_objection(from, goal)) {
    out.failed_proposals.push_back({what.tag, *why, state_.self()});
    return;
  }
  const auto next = next_step(from, goal);
  if (const auto why = may_not_commit(next, now)) {
    out.failed_proposals.push_back({what.tag, *why, state_.self()});
    return;
  }
  append_configuration(next, now, out);
  out.accepted_now.push_back({what.tag, state_.log().last_index(), state_.term()});
}

/// Permanent refusals come first. Otherwise a caller would retry in vain, and whether it gets the final refusal would
/// depend on timing.
std::optional<refusal> leader::cannot_change(const change_members& what) const {
  if (const auto why = objection(what)) return why;
  if (what.based_on != 0 && what.based_on != state_.log().configuration_index()) return refusal::stale_configuration;
  if (transfer_) return refusal::transferring;
  if (state_.disk_stalled()) return refusal::disk_stalled;
  if (!state_.has_room()) return refusal::disk_full;
  if (const auto why = too_early_to_change()) return why;
  return objection(state_.members(), what);
}

bool leader::is_heard(node_id id, time_point now) const {
  const auto peer = peers_.find(id);
  return id == state_.self() ||
         (peer != peers_.end() && peer->second.answered && now - peer->second.heard < state_.opts().election_max);
}

/// A configuration is in force from its append. One that cannot be committed would block the cluster for good.
std::optional<refusal> leader::may_not_commit(const configuration& next, time_point now) const {
  if (next.voters == state_.members().voters) return std::nullopt;
  if (has_quorum(next, [&](node_id id) { return is_heard(id, now); })) return std::nullopt;
  // After election_max every responsive voter has answered.
  return now - began_ < state_.opts().election_max ? refusal::leader_too_new : refusal::no_majority_left;
}

/// A caught-up learner becomes a voter, and replaces `p.replaces` if that is set. If not, majorities grow, so the
/// promotion waits until all voters respond, or one more than a majority of the larger number. Otherwise nodes that
/// join and then die could, one by one, leave the remaining voters without a majority.
bool leader::may_vote(const promotion& p, const configuration& c, time_point now) const {
  if (p.standby || !has_caught_up(p.learner, now)) return false;
  const auto heard =
      std::count_if(c.voters.begin(), c.voters.end(), [&](const auto& m) { return is_heard(m.id, now); });
  const auto size = std::ssize(c.voters) + 1;
  return p.replaces || heard + 1 == size || heard + 1 > size / 2 + 1;
}

configuration leader::with_promotions(const configuration& c, time_point now) const {
  return promoted(
      c, [&](const promotion& p) { return may_vote(p, c, now); }, state_.log().last_index() + 1);
}

std::optional<refusal> leader::too_early_to_change() const {
  // Until an entry of this leader's term is committed, another leader's configuration may be committed unknown to this
  // one. Two configurations that each differ from the previous one by one voter may have disjoint majorities.
  if (state_.commit() < term_start_) return refusal::leader_too_new;
  if (!state_.configuration_committed() || state_.members().joint()) return refusal::change_in_progress;
  return std::nullopt;
}

void leader::append_configuration(const configuration& next, time_point now, output& out) {
  std::vector<entry> batch;
  append(out, entry_kind::configuration, bytes{encode(next)}, batch);
  follow_configuration(now, out);
  notify_replicators(out, std::move(batch));
}

void leader::follow_configuration(time_point now, output& out) {
  for (const auto& m : state_.members().members()) {
    add_peer(m, now, out);
    if (m.id == state_.self()) continue;
    auto& p = peers_.at(m.id);
    p.left_at = 0;
    p.notify_until.reset();
  }
  for (auto& [id, p] : peers_)
    if (p.left_at == 0 && !state_.members().is_member(id)) p.left_at = state_.log().configuration_index();
}

void leader::add_peer(const member& peer, time_point now, output& out) {
  if (peer.id == state_.self() || peers_.contains(peer.id)) return;
  auto& p = peers_[peer.id];
  p.session = first_session_;
  p.heard = p.catching_up_since = now;
  p.goal = state_.log().last_index();
  if (!out.membership) out.membership.emplace();
  out.membership->start.push_back(peer);
}

void leader::on_configuration_committed(time_point now, output& out) {
  const auto& c = state_.members();
  if (c.joint()) {
    append_configuration(leave_joint(c), now, out);
    return;
  }
  for (auto& [id, p] : peers_)
    if (p.left_at > 0 && !p.notify_until) p.notify_until = now + 10 * state_.opts().election_max;
  if (c.is_voter(state_.self())) return;
  // A leader that is now a learner must give up its leadership, but it remains a member.
  if (!c.is_member(state_.self())) state_.note_own_removal(out);
  if (transfer_) return;
  if (const auto next = best_successor(now)) {
    begin_transfer(0, next, now, out);
  } else {
    step_down(out, std::nullopt);
  }
}

void leader::note_pace(progress& p, time_point heard) const {
  if (p.match < p.goal) return;
  p.keeps_up = heard - p.catching_up_since < state_.opts().election_min;
  p.catching_up_since = heard;
  p.goal = state_.log().last_index();
}

bool leader::has_caught_up(node_id id, time_point now) const {
  const auto peer = peers_.find(id);
  return peer != peers_.end() && peer->second.keeps_up && !peer->second.ineligible &&
         now - peer->second.catching_up_since < state_.opts().election_min;
}

void leader::promote(time_point now, output& out) {
  const auto& from = state_.members();
  if (transfer_ || out.next_role || state_.disk_stalled() || too_early_to_change()) return;
  if (std::none_of(from.promotions.begin(), from.promotions.end(),
                   [&](const promotion& p) { return may_vote(p, from, now); }))
    return;
  const auto next = next_step(from, with_promotions(from, now));
  if (next.voters != from.voters && !may_not_commit(next, now)) append_configuration(next, now, out);
}

void leader::receive(const removed_answer& answer, time_point, output& out) {
  const auto peer = peers_.find(answer.head.from);
  if (peer == peers_.end() || !peer->second.notify_until || answer.index < peer->second.left_at) return;
  drop(answer.head.from, out);
}

void leader::drop_silent_leavers(time_point now, output& out) {
  std::vector<node_id> silent;
  for (const auto& [id, p] : peers_)
    if (p.notify_until && now >= *p.notify_until) silent.push_back(id);
  for (const auto id : silent) drop(id, out);
}

void leader::drop(node_id peer, output& out) {
  // Far beyond any session that the peer's replicator can have reached.
  first_session_ = std::max(first_session_, peers_.at(peer).session + (std::uint64_t{1} << 32));
  peers_.erase(peer);
  if (!out.membership) out.membership.emplace();
  out.membership->stop.push_back(peer);
}

} // namespace troupe::raft

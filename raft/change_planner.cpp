#include "raft/change_planner.hpp"

#include "raft/membership_rules.hpp"
#include "raft/quorum.hpp"

#include <algorithm>

namespace troupe::raft {

std::variant<configuration, reject_reason> change_planner::change(const change_members& what, bool transferring) const {
  if (const auto why = cannot_change(what, transferring)) return *why;
  const auto& from = state_.members();
  const auto goal = with_promotions(changed(from, what, state_.log().last_index() + 1));
  if (goal == from) return reject_reason::nothing_to_change;
  if (goal.voters.empty()) return reject_reason::no_voter_left;
  if (const auto why = size_objection(from, goal)) return *why;
  const auto next = next_step(from, goal);
  if (const auto why = may_not_commit(next)) return *why;
  return next;
}

std::optional<configuration> change_planner::promotions() const {
  const auto& from = state_.members();
  if (too_early()) return std::nullopt;
  if (std::none_of(from.promotions.begin(), from.promotions.end(),
                   [&](const promotion& p) { return may_vote(p, from); }))
    return std::nullopt;
  const auto next = next_step(from, with_promotions(from));
  if (next.voters == from.voters || may_not_commit(next)) return std::nullopt;
  return next;
}

/// Permanent refusals come first. Otherwise a caller would retry in vain, and whether it gets the final refusal would
/// depend on timing.
std::optional<reject_reason> change_planner::cannot_change(const change_members& what, bool transferring) const {
  if (const auto why = objection(what)) return why;
  if (what.based_on != 0 && what.based_on != state_.log().configuration_index())
    return reject_reason::stale_configuration;
  if (transferring) return reject_reason::transferring;
  if (state_.disk_stalled()) return reject_reason::disk_stalled;
  if (!state_.has_room()) return reject_reason::disk_full;
  if (const auto why = too_early()) return why;
  return objection(state_.members(), what);
}

std::optional<reject_reason> change_planner::too_early() const {
  // Until an entry of this leader's term is committed, another leader's configuration may be committed unknown to this
  // one. Two configurations that each differ from the previous one by one voter may have disjoint majorities.
  if (state_.commit() < term_start_) return reject_reason::leader_too_new;
  if (!state_.configuration_committed() || state_.members().joint()) return reject_reason::change_in_progress;
  return std::nullopt;
}

/// A configuration is in force from its append. One that cannot be committed would block the cluster for good.
std::optional<reject_reason> change_planner::may_not_commit(const configuration& next) const {
  if (next.voters == state_.members().voters) return std::nullopt;
  if (has_quorum(next, [&](node_id id) { return responds(id); })) return std::nullopt;
  // After election_max every responsive voter has answered.
  return now_ - began_ < state_.opts().election_max ? reject_reason::leader_too_new : reject_reason::no_majority_left;
}

/// A caught-up learner becomes a voter, and replaces `p.replaces` if that is set. If not, majorities grow, so the
/// promotion waits until all voters respond, or one more than a majority of the larger number. Otherwise nodes that
/// join and then die could, one by one, leave the remaining voters without a majority.
bool change_planner::may_vote(const promotion& p, const configuration& c) const {
  if (p.standby || !peers_.has_caught_up(p.learner, now_)) return false;
  const auto heard = std::count_if(c.voters.begin(), c.voters.end(), [&](const auto& m) { return responds(m.id); });
  const auto size = std::ssize(c.voters) + 1;
  return p.replaces || heard + 1 == size || heard + 1 > size / 2 + 1;
}

configuration change_planner::with_promotions(const configuration& c) const {
  return promoted(
      c, [&](const promotion& p) { return may_vote(p, c); }, state_.log().last_index() + 1);
}

} // namespace troupe::raft

#include "raft/membership/member_policy.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

bool is_alive(const std::vector<peer_health>& health, node_id id) {
  const auto found = std::find_if(health.begin(), health.end(), [&](const peer_health& h) { return h.id == id; });
  return found != health.end() && found->state == peer_state::alive;
}

const member* find(const std::vector<member>& members, node_id id) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const member& m) { return m.id == id; });
  return found == members.end() ? nullptr : &*found;
}

const promotion* promotion_of(const configuration& c, node_id learner) {
  const auto found =
      std::find_if(c.promotions.begin(), c.promotions.end(), [&](const promotion& p) { return p.learner == learner; });
  return found == c.promotions.end() ? nullptr : &*found;
}

bool is_replaced(const configuration& c, node_id voter) {
  return std::any_of(c.promotions.begin(), c.promotions.end(), [&](const promotion& p) { return p.replaces == voter; });
}

/// The number of voters once all pending promotions are complete.
std::size_t voters_to_come(const configuration& c) {
  const auto more = std::count_if(c.promotions.begin(), c.promotions.end(),
                                  [](const promotion& p) { return !p.standby && !p.replaces; });
  return c.voters.size() + static_cast<std::size_t>(more);
}

/// The first live learner with a promotion for which `which` is true.
template <class Which> const member* waiting(const member_sightings& seen, Which which) {
  for (const auto& p : seen.members.promotions) {
    const auto* learner = find(seen.members.learners, p.learner);
    if (learner && which(p) && is_alive(seen.health, p.learner)) return learner;
  }
  return nullptr;
}

member_decision adding(const member_sightings& seen, const addition& who, std::string reason) {
  return {{0, {who}, {}, seen.at, false}, std::move(reason)};
}

member_decision removing(const member_sightings& seen, node_id who, std::string reason) {
  return {{0, {}, {who}, seen.at, false}, std::move(reason)};
}

} // namespace

std::optional<member_decision> member_policy::decide(const member_sightings& seen, time_point now) {
  note_dead(seen.health, now);
  if (seen.members.joint() || seen.members.empty()) return {};
  // Changes that shrink or repair majorities come before changes that enlarge them.
  if (auto found = cancel_replacement(seen)) return found;
  if (auto found = remove_dead_voter(seen, now)) return found;
  if (auto found = replace_dead_voter(seen, now)) return found;
  if (auto found = admit(seen, now)) return found;
  if (auto found = promote_standby(seen)) return found;
  return remove_dead_learner(seen, now);
}

/// A voter that is alive again keeps the place that a policy promised to another node. A replacement that an operator
/// asked for is not cancelled.
member_policy::decision member_policy::cancel_replacement(const member_sightings& seen) const {
  for (const auto& p : seen.members.promotions) {
    if (p.asked || !p.replaces || !is_alive(seen.health, p.replaces)) continue;
    const auto* learner = find(seen.members.learners, p.learner);
    if (!learner) continue;
    return adding(seen, {*learner, p.wanted || has_place(seen.members), {}},
                  "node " + to_string(p.replaces) + " is alive again and is not replaced by node " +
                      to_string(p.learner));
  }
  return {};
}

/// May also remove a voter that a learner is to replace, since that learner may never catch up.
member_policy::decision member_policy::remove_dead_voter(const member_sightings& seen, time_point now) const {
  const auto dead = removes() ? longest_dead(seen.members.voters, now) : std::nullopt;
  if (!dead || !may_shrink(seen, *dead)) return {};
  return removing(seen, *dead, "node " + to_string(*dead) + " is dead and is removed");
}

/// Uses a learner with a promotion that replaces no voter yet. Learners without a promotion are never used: an operator
/// wants them to stay learners.
member_policy::decision member_policy::replace_dead_voter(const member_sightings& seen, time_point now) const {
  const auto dead = voter_to_replace(seen.members, now);
  const auto* learner = dead ? waiting(seen, [](const promotion& p) { return !p.replaces; }) : nullptr;
  if (!learner) return {};
  return adding(seen, {*learner, true, *dead},
                "learner " + to_string(learner->id) + " replaces node " + to_string(*dead) + ", which is dead");
}

member_policy::decision member_policy::admit(const member_sightings& seen, time_point now) const {
  const auto joiner = std::find_if(seen.joiners.begin(), seen.joiners.end(),
                                   [&](const member& m) { return !seen.members.is_member(m.id); });
  if (!opts_.add || joiner == seen.joiners.end() || is_crowded(seen)) return {};
  const auto dead = voter_to_replace(seen.members, now);
  const bool votes = dead || has_place(seen.members);
  auto reason = "node " + to_string(joiner->id) + " at " + joiner->address + " joins";
  if (dead) reason += " in place of node " + to_string(*dead) + ", which is dead";
  if (!votes) reason += " as a learner";
  return adding(seen, {*joiner, votes, dead.value_or(node_id{})}, std::move(reason));
}

bool member_policy::is_crowded(const member_sightings& seen) const {
  return opts_.add && !seen.joiners.empty() && seen.members.promotions.size() >= opts_.max_learners;
}

member_policy::decision member_policy::promote_standby(const member_sightings& seen) const {
  const auto* learner = has_place(seen.members) ? waiting(seen, [](const promotion& p) { return p.standby; }) : nullptr;
  if (!learner) return {};
  return adding(seen, {*learner, true, {}}, "there is a voter's place for learner " + to_string(learner->id));
}

/// Learners that a policy admitted may always be removed; those that an operator asked for, only if `removes()`.
member_policy::decision member_policy::remove_dead_learner(const member_sightings& seen, time_point now) const {
  for (const auto& m : seen.members.learners) {
    const auto* own = promotion_of(seen.members, m.id);
    const bool may_leave = removes() || (own && !own->asked && !own->wanted);
    if (may_leave && is_dead(m.id, now))
      return removing(seen, m.id, "learner " + to_string(m.id) + " is dead and is removed");
  }
  return {};
}

void member_policy::note_dead(const std::vector<peer_health>& health, time_point now) {
  std::map<node_id, time_point> dead;
  for (const auto& h : health) {
    if (h.state != peer_state::dead) continue;
    const auto known = dead_since_.find(h.id);
    dead.emplace(h.id, known == dead_since_.end() ? now : known->second);
  }
  dead_since_ = std::move(dead);
}

/// True if the member has been dead for the grace period.
bool member_policy::is_dead(node_id id, time_point now) const {
  const auto since = dead_since_.find(id);
  return since != dead_since_.end() && now - since->second >= opts_.grace;
}

bool member_policy::has_place(const configuration& members) const { return voters_to_come(members) < opts_.max_voters; }

std::optional<node_id> member_policy::longest_dead(const std::vector<member>& of, time_point now) const {
  std::optional<node_id> found;
  for (const auto& m : of) {
    if (m.id == self_ || !is_dead(m.id, now)) continue;
    if (!found || dead_since_.at(m.id) < dead_since_.at(*found)) found = m.id;
  }
  return found;
}

/// The voter to replace next: the longest dead one for which there is no replacement yet.
std::optional<node_id> member_policy::voter_to_replace(const configuration& members, time_point now) const {
  auto voters = members.voters;
  std::erase_if(voters, [&](const member& m) { return is_replaced(members, m.id); });
  return removes() ? longest_dead(voters, now) : std::nullopt;
}

/// True if enough voters remain and a majority of them is alive: the next failure must not block the cluster.
bool member_policy::may_shrink(const member_sightings& seen, node_id without) const {
  std::size_t left = 0;
  std::size_t alive = 0;
  for (const auto& m : seen.members.voters) {
    if (m.id == without) continue;
    ++left;
    alive += m.id == self_ || is_alive(seen.health, m.id);
  }
  return left >= opts_.min_voters && alive > left / 2 && seen.members.is_voter(self_);
}

} // namespace troupe::raft

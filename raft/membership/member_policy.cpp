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

/// How many voters there are when all have caught up that are to be some.
std::size_t voters_to_come(const configuration& c) {
  const auto more = std::count_if(c.promotions.begin(), c.promotions.end(),
                                  [](const promotion& p) { return !p.spare && !p.replaces; });
  return c.voters.size() + static_cast<std::size_t>(more);
}

/// The first learner that is there, whose promotion is such a one.
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
  // Whatever makes majorities smaller, or whole, goes before what makes them larger.
  if (auto found = take_back(seen)) return found;
  if (auto found = shrink(seen, now)) return found;
  if (auto found = replace(seen, now)) return found;
  if (auto found = let_in(seen, now)) return found;
  if (auto found = grow(seen)) return found;
  return sweep(seen, now);
}

/// A voter that is back keeps the place that a policy promised to another node. What somebody asked for stays.
member_policy::decision member_policy::take_back(const member_sightings& seen) const {
  for (const auto& p : seen.members.promotions) {
    if (p.asked || !p.replaces || !is_alive(seen.health, p.replaces)) continue;
    const auto* learner = find(seen.members.learners, p.learner);
    if (!learner) continue;
    return adding(seen, {*learner, p.wanted || has_place(seen.members), {}},
                  "node " + to_string(p.replaces) + " is back, and keeps the place that was promised to node " +
                      to_string(p.learner));
  }
  return {};
}

/// Also of a voter to whose place somebody is on the way, who may never arrive.
member_policy::decision member_policy::shrink(const member_sightings& seen, time_point now) const {
  const auto gone = removes() ? longest_gone(seen.members.voters, now) : std::nullopt;
  if (!gone || !may_shrink(seen, *gone)) return {};
  return removing(seen, *gone, "node " + to_string(*gone) + " is dead and leaves");
}

/// By one that learns and has no place yet. Not by one that only learns, as somebody wants it so.
member_policy::decision member_policy::replace(const member_sightings& seen, time_point now) const {
  const auto gone = vacant(seen.members, now);
  const auto* learner = gone ? waiting(seen, [](const promotion& p) { return !p.replaces; }) : nullptr;
  if (!learner) return {};
  return adding(seen, {*learner, true, *gone},
                "learner " + to_string(learner->id) + " takes the place of node " + to_string(*gone) +
                    ", which is dead");
}

member_policy::decision member_policy::let_in(const member_sightings& seen, time_point now) const {
  const auto joiner = std::find_if(seen.joiners.begin(), seen.joiners.end(),
                                   [&](const member& m) { return !seen.members.is_member(m.id); });
  if (!opts_.add || joiner == seen.joiners.end() || is_crowded(seen)) return {};
  const auto gone = vacant(seen.members, now);
  const bool votes = gone || has_place(seen.members);
  auto reason = "node " + to_string(joiner->id) + " at " + joiner->address + " joins";
  if (gone) reason += " in place of node " + to_string(*gone) + ", which is dead";
  if (!votes) reason += " as a learner";
  return adding(seen, {*joiner, votes, gone.value_or(node_id{})}, std::move(reason));
}

bool member_policy::is_crowded(const member_sightings& seen) const {
  return opts_.add && !seen.joiners.empty() && seen.members.promotions.size() >= opts_.max_learners;
}

member_policy::decision member_policy::grow(const member_sightings& seen) const {
  const auto* learner = has_place(seen.members) ? waiting(seen, [](const promotion& p) { return p.spare; }) : nullptr;
  if (!learner) return {};
  return adding(seen, {*learner, true, {}}, "there is a place for learner " + to_string(learner->id));
}

/// Whom a policy let in it may let go, whatever becomes of those that somebody wants.
member_policy::decision member_policy::sweep(const member_sightings& seen, time_point now) const {
  for (const auto& m : seen.members.learners) {
    const auto* own = promotion_of(seen.members, m.id);
    const bool may_leave = removes() || (own && !own->asked && !own->wanted);
    if (may_leave && is_gone(m.id, now))
      return removing(seen, m.id, "learner " + to_string(m.id) + " is dead and leaves");
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

bool member_policy::is_gone(node_id id, time_point now) const {
  const auto since = dead_since_.find(id);
  return since != dead_since_.end() && now - since->second >= opts_.grace;
}

bool member_policy::has_place(const configuration& members) const { return voters_to_come(members) < opts_.max_voters; }

std::optional<node_id> member_policy::longest_gone(const std::vector<member>& of, time_point now) const {
  std::optional<node_id> found;
  for (const auto& m : of) {
    if (m.id == self_ || !is_gone(m.id, now)) continue;
    if (!found || dead_since_.at(m.id) < dead_since_.at(*found)) found = m.id;
  }
  return found;
}

/// The voter to replace next: gone, and with nobody on the way to its place.
std::optional<node_id> member_policy::vacant(const configuration& members, time_point now) const {
  auto voters = members.voters;
  std::erase_if(voters, [&](const member& m) { return is_replaced(members, m.id); });
  return removes() ? longest_gone(voters, now) : std::nullopt;
}

/// Enough voters are left, and of those a majority is there: the next failure must not end the cluster.
bool member_policy::may_shrink(const member_sightings& seen, node_id without) const {
  std::size_t left = 0;
  std::size_t there = 0;
  for (const auto& m : seen.members.voters) {
    if (m.id == without) continue;
    ++left;
    there += m.id == self_ || is_alive(seen.health, m.id);
  }
  return left >= opts_.min_voters && there > left / 2 && seen.members.is_voter(self_);
}

} // namespace troupe::raft

#include "raft/member_policy.hpp"

#include <algorithm>

namespace troupe::raft {
namespace {

bool is_replaced(const configuration& c, node_id voter) {
  return std::any_of(c.promotions.begin(), c.promotions.end(), [&](const promotion& p) { return p.replaces == voter; });
}

bool is_alive(const std::vector<peer_health>& health, node_id id) {
  const auto found = std::find_if(health.begin(), health.end(), [&](const peer_health& h) { return h.id == id; });
  return found != health.end() && found->state == peer_state::alive;
}

} // namespace

std::optional<member_decision> member_policy::decide(const member_sightings& seen, time_point now) {
  note_dead(seen.health, now);
  const auto& members = seen.members;
  if (members.joint() || members.empty()) return {};
  if (auto back = take_back(seen)) return back;
  if (removes()) {
    const auto leaves = gone_voter(members, now, true);
    if (leaves && may_shrink(seen, *leaves))
      return member_decision{{0, {}, {*leaves}, seen.at}, "node " + to_string(*leaves) + " is dead and leaves"};
  }
  const auto gone = removes() ? gone_voter(members, now, false) : std::nullopt;

  const auto joiner =
      std::find_if(seen.joiners.begin(), seen.joiners.end(), [&](const member& m) { return !members.is_member(m.id); });
  if (opts_.add && joiner != seen.joiners.end() && members.learners.size() < opts_.max_learners) {
    const auto coming = members.voters.size() + members.promotions.size();
    const bool votes = gone || coming < opts_.max_voters;
    auto reason = "node " + to_string(joiner->id) + " at " + joiner->address + " joins";
    if (gone) reason += " in place of node " + to_string(*gone) + ", which is dead";
    if (!votes) reason += " as a learner";
    if (gone) promised_.insert(joiner->id);
    return member_decision{{0, {{*joiner, votes, gone.value_or(node_id{})}}, {}, seen.at}, std::move(reason)};
  }
  if (gone) {
    // One that is to vote, in nobody's place, or does not because there were enough of them. Not who only learns
    // because somebody wants it so.
    const auto spare = std::find_if(members.learners.begin(), members.learners.end(), [&](const member& m) {
      const auto own = std::find_if(members.promotions.begin(), members.promotions.end(),
                                    [&](const promotion& p) { return p.learner == m.id; });
      const bool free = own == members.promotions.end() ? members.voters.size() >= opts_.max_voters : !own->replaces;
      return free && is_alive(seen.health, m.id);
    });
    if (spare != members.learners.end()) {
      promised_.insert(spare->id);
      return member_decision{{0, {{*spare, true, *gone}}, {}, seen.at},
                             "learner " + to_string(spare->id) + " takes the place of node " + to_string(*gone) +
                                 ", which is dead"};
    }
  }
  if (removes())
    for (const auto& m : members.learners)
      if (is_gone(m.id, now))
        return member_decision{{0, {}, {m.id}, seen.at}, "learner " + to_string(m.id) + " is dead and leaves"};
  return {};
}

/// A voter that is back keeps its place, whomever it was promised to.
std::optional<member_decision> member_policy::take_back(const member_sightings& seen) {
  const auto& members = seen.members;
  for (const auto& p : members.promotions) {
    if (!p.replaces || !promised_.contains(p.learner) || !is_alive(seen.health, p.replaces)) continue;
    const auto learner = std::find_if(members.learners.begin(), members.learners.end(),
                                      [&](const member& m) { return m.id == p.learner; });
    if (learner == members.learners.end()) continue;
    const bool votes = members.voters.size() < opts_.max_voters;
    return member_decision{{0, {{*learner, votes, {}}}, {}, seen.at},
                           "node " + to_string(p.replaces) +
                               " is back, and keeps the place that was promised to node " + to_string(p.learner)};
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

/// The voter that is gone for longest; with `replaced`, even if somebody is on the way to its place.
std::optional<node_id> member_policy::gone_voter(const configuration& members, time_point now, bool replaced) const {
  std::optional<node_id> found;
  for (const auto& m : members.voters) {
    if (m.id == self_ || !is_gone(m.id, now) || (!replaced && is_replaced(members, m.id))) continue;
    if (!found || dead_since_.at(m.id) < dead_since_.at(*found)) found = m.id;
  }
  return found;
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

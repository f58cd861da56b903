#include "raft/membership_rules.hpp"

#include "raft/base/address.hpp"

#include <algorithm>
#include <set>

namespace troupe::raft {
namespace {

member* find(std::vector<member>& members, node_id id) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const member& m) { return m.id == id; });
  return found == members.end() ? nullptr : &*found;
}

void erase(std::vector<member>& members, node_id id) {
  std::erase_if(members, [&](const member& m) { return m.id == id; });
}

void remove(configuration& c, node_id id) {
  erase(c.voters, id);
  erase(c.learners, id);
  std::erase_if(c.promotions, [&](const promotion& p) { return p.learner == id; });
  for (auto& p : c.promotions)
    if (p.replaces == id) p.replaces = {};
}

void dismiss(configuration& c, node_id id, index_t at) {
  c.dismissed.push_back({id, at});
  if (c.dismissed.size() <= max_dismissed) return;
  const auto oldest = c.dismissed.front().at;
  // Older versions did not record the index of a dismissal.
  c.forgotten = std::max(c.forgotten, oldest > 0 ? oldest : at);
  c.dismissed.erase(c.dismissed.begin());
}

void add(configuration& c, const addition& a, bool asked) {
  std::erase_if(c.dismissed, [&](const dismissal& d) { return d.node == a.who.id; });
  if (auto* known = find(c.voters, a.who.id)) {
    known->address = a.who.address;
    return;
  }
  if (auto* known = find(c.learners, a.who.id)) {
    known->address = a.who.address;
  } else {
    c.learners.push_back(a.who);
  }
  // A policy's decision about a learner does not undo an operator's request for it.
  const bool wanted = std::any_of(c.promotions.begin(), c.promotions.end(),
                                  [&](const promotion& p) { return p.learner == a.who.id && (p.asked || p.wanted); });
  std::erase_if(c.promotions, [&](const promotion& p) { return p.learner == a.who.id; });
  // Only one learner may replace a voter; an earlier one becomes a standby.
  for (auto& p : c.promotions)
    if (a.replaces && p.replaces == a.replaces) p = {p.learner, {}, false, true, p.asked || p.wanted};
  if (a.votes || !asked) c.promotions.push_back({a.who.id, a.replaces, asked, !a.votes, wanted && !asked});
}

/// The number of members of `one` that are not in `other`.
std::ptrdiff_t missing(const std::vector<member>& one, std::vector<member> other) {
  return std::count_if(one.begin(), one.end(), [&](const member& m) { return !find(other, m.id); });
}

} // namespace

std::optional<reject_reason> objection(const change_members& change) {
  // First, because the other checks take longer the more nodes there are.
  if (change.add.size() > max_members) return reject_reason::configuration_too_large;
  std::set<node_id> named;
  const auto is_first = [&](node_id id) { return id && named.insert(id).second; };
  for (const auto& a : change.add) {
    if (!is_first(a.who.id) || (a.replaces && !is_first(a.replaces))) return reject_reason::invalid_change;
    // An empty address is unknown. The id identifies a member, and the address that a node itself reports is used.
    if (!a.who.address.empty() && address_problem(a.who.address)) return reject_reason::invalid_address;
  }
  for (const auto id : change.remove)
    if (!is_first(id)) return reject_reason::invalid_change;
  return std::nullopt;
}

std::optional<reject_reason> objection(const configuration& from, const change_members& change) {
  if (const auto why = objection(change)) return why;
  for (const auto& a : change.add) {
    const bool votes_already = from.is_voter(a.who.id);
    // A voter does not become a learner and does not replace another voter. Either can be removed instead.
    if (votes_already ? !a.votes || a.replaces : a.replaces && !a.votes) return reject_reason::invalid_change;
    if (a.replaces && !from.is_voter(a.replaces))
      return from.is_member(a.replaces) ? reject_reason::not_a_voter : reject_reason::unknown_member;
  }
  for (const auto id : change.remove)
    if (!from.is_member(id)) return reject_reason::unknown_member;
  return std::nullopt;
}

std::optional<reject_reason> size_objection(const configuration& from, const configuration& goal) {
  const auto members = [](const configuration& c) { return c.voters.size() + c.learners.size(); };
  if (members(goal) > max_members && members(goal) > members(from)) return reject_reason::configuration_too_large;
  const auto size = encode(goal).size();
  if (size > max_configuration_bytes && size > encode(from).size()) return reject_reason::configuration_too_large;
  return std::nullopt;
}

configuration changed(const configuration& from, const change_members& change, index_t at) {
  auto c = from;
  for (const auto id : change.remove) {
    remove(c, id);
    if (change.asked) dismiss(c, id, at);
  }
  for (const auto& a : change.add) add(c, a, change.asked);
  return c;
}

configuration promoted(configuration from, const may_vote& ready, index_t at) {
  for (const auto& p : std::vector<promotion>{from.promotions}) {
    const auto* learner = find(from.learners, p.learner);
    if (!learner || p.standby || !ready(p)) continue;
    const auto voter = *learner;
    remove(from, p.learner);
    if (p.replaces) {
      remove(from, p.replaces);
      if (p.asked) dismiss(from, p.replaces, at);
    }
    from.voters.push_back(voter);
  }
  return from;
}

configuration next_step(const configuration& from, const configuration& goal) {
  auto next = goal;
  if (missing(from.voters, goal.voters) + missing(goal.voters, from.voters) > 1) next.outgoing = from.voters;
  return next;
}

configuration leave_joint(configuration joint) {
  joint.outgoing.clear();
  return joint;
}

} // namespace troupe::raft

// What a leader changes about the members by itself: who waits at the door comes in, who is gone for long is replaced
// or removed. Pure rules; the core checks again whatever they lead to (membership_rules.hpp).
#pragma once

#include "raft/entry.hpp"
#include "raft/events.hpp"
#include "raft/health.hpp"
#include "raft/types.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::raft {

struct member_policy_options {
  /// Nodes that ask to join are let in.
  bool add = true;
  /// Voters and learners that are dead for `grace` are replaced by nodes that ask to join, or removed. Not set: no, or
  /// what whoever makes the policy finds right.
  std::optional<bool> remove = {};
  duration grace = std::chrono::seconds{60};
  /// Removal alone never leaves fewer voters.
  std::size_t min_voters = 3;
  /// Beyond, whoever joins stays a learner, ready to replace a voter.
  std::size_t max_voters = 7;
  /// While there are so many learners nobody else is let in.
  std::size_t max_learners = 7;
};

/// What the leader sees when it decides.
struct member_sightings {
  configuration members;
  /// Index of `members`.
  index_t at = 0;
  /// Nodes that are linked to this one, belong to no cluster or to this one, are no members and ask to be.
  std::vector<member> joiners;
  /// Of the members but this node.
  std::vector<peer_health> health;
};

/// A change and its reason for a person, as the end of "the leader decides: ".
struct member_decision {
  change_members change;
  std::string reason;
};

/// Keeps since when members are dead, as this node sees it while it leads: a new leader begins to count anew, so that
/// nobody is removed on hearsay.
class member_policy {
 public:
  member_policy(node_id self, member_policy_options opts) : self_(self), opts_(opts) {}

  /// One change at most; it is based on `seen.at`, and void once that is not the newest configuration.
  std::optional<member_decision> decide(const member_sightings& seen, time_point now);
  /// This node leads no more.
  void forget() {
    dead_since_.clear();
    promised_.clear();
  }

 private:
  std::optional<member_decision> take_back(const member_sightings& seen);
  void note_dead(const std::vector<peer_health>& health, time_point now);
  bool removes() const { return opts_.remove.value_or(false); }
  bool is_gone(node_id id, time_point now) const;
  std::optional<node_id> gone_voter(const configuration& members, time_point now, bool replaced) const;
  bool may_shrink(const member_sightings& seen, node_id without) const;

  node_id self_;
  member_policy_options opts_;
  std::map<node_id, time_point> dead_since_;
  /// Learners to whom this policy promised the place of a voter that was dead.
  std::set<node_id> promised_;
};

} // namespace troupe::raft

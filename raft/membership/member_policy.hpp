// What a leader changes about the members by itself: who waits at the door comes in, who is gone for long is replaced
// or removed. Pure rules; the core checks again whatever they lead to (membership_rules.hpp).
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/events.hpp"
#include "raft/membership/health.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::raft {

struct member_policy_options {
  /// Nodes that ask to join are let in.
  bool add = true;
  /// Voters and learners that are dead for `grace` are replaced by nodes that ask to join, or removed. Not set: no, or
  /// what whoever makes the policy finds right. A learner that this policy let in leaves in any case.
  std::optional<bool> remove = {};
  duration grace = std::chrono::seconds{60};
  /// Removal alone never leaves fewer voters.
  std::size_t min_voters = 3;
  /// Beyond, whoever joins stays a learner, ready to replace a voter.
  std::size_t max_voters = 7;
  /// While so many learners wait to vote nobody else is let in.
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
  /// Nodes ask to join, and are not let in because too many wait to vote already.
  bool is_crowded(const member_sightings& seen) const;
  /// This node leads no more.
  void forget() { dead_since_.clear(); }

 private:
  using decision = std::optional<member_decision>;

  // In the order in which they are asked.
  decision take_back(const member_sightings& seen) const;
  decision shrink(const member_sightings& seen, time_point now) const;
  decision replace(const member_sightings& seen, time_point now) const;
  decision let_in(const member_sightings& seen, time_point now) const;
  decision grow(const member_sightings& seen) const;
  decision sweep(const member_sightings& seen, time_point now) const;

  void note_dead(const std::vector<peer_health>& health, time_point now);
  bool removes() const { return opts_.remove.value_or(false); }
  bool has_place(const configuration& members) const;
  bool is_gone(node_id id, time_point now) const;
  std::optional<node_id> longest_gone(const std::vector<member>& of, time_point now) const;
  std::optional<node_id> vacant(const configuration& members, time_point now) const;
  bool may_shrink(const member_sightings& seen, node_id without) const;

  node_id self_;
  member_policy_options opts_;
  std::map<node_id, time_point> dead_since_;
};

} // namespace troupe::raft

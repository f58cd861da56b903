// Decides automatic membership changes: admits joiners, replaces or removes dead members. Pure rules. The leader checks
// every resulting change again (membership_rules.hpp).
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/events.hpp"
#include "raft/membership/health.hpp"

#include <map>
#include <optional>
#include <string>
#include <troupe/cluster_options.hpp>
#include <vector>

namespace troupe::raft {

using troupe::member_policy_options;

/// The input to the leader's decision.
struct member_sightings {
  configuration members;
  /// Index of `members`.
  index_t at = 0;
  /// Linked nodes that belong to this cluster or to none, are not members and ask to become members.
  std::vector<member> joiners;
  /// The health of all members except this node.
  std::vector<peer_health> health;
};

/// A change and its reason in words, which follows "the leader decides: " in a message.
struct member_decision {
  change_members change;
  std::string reason;
};

/// Tracks since when members are dead, as this node has seen it during its leadership. A new leader starts counting
/// from zero, so that no member is removed because of second-hand information.
class member_policy {
 public:
  member_policy(node_id self, member_policy_options opts) : self_(self), opts_(opts) {}

  /// Returns at most one change. It is based on `seen.at` and no longer valid once there is a newer configuration.
  std::optional<member_decision> decide(const member_sightings& seen, time_point now);
  /// True if nodes ask to join but are not admitted, because too many learners already wait to become voters.
  bool is_crowded(const member_sightings& seen) const;
  /// This node no longer leads.
  void forget() { dead_since_.clear(); }

 private:
  using decision = std::optional<member_decision>;

  // In the order in which `decide` tries them.
  decision cancel_replacement(const member_sightings& seen) const;
  decision remove_dead_voter(const member_sightings& seen, time_point now) const;
  decision replace_dead_voter(const member_sightings& seen, time_point now) const;
  decision admit(const member_sightings& seen, time_point now) const;
  decision promote_standby(const member_sightings& seen) const;
  decision remove_dead_learner(const member_sightings& seen, time_point now) const;

  void note_dead(const std::vector<peer_health>& health, time_point now);
  bool removes() const { return opts_.remove.value_or(false); }
  bool has_place(const configuration& members) const;
  bool is_dead(node_id id, time_point now) const;
  std::optional<node_id> longest_dead(const std::vector<member>& of, time_point now) const;
  std::optional<node_id> voter_to_replace(const configuration& members, time_point now) const;
  bool may_shrink(const member_sightings& seen, node_id without) const;

  node_id self_;
  member_policy_options opts_;
  std::map<node_id, time_point> dead_since_;
};

} // namespace troupe::raft

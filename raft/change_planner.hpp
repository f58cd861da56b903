// Decides which configuration a leader may append next.
#pragma once

#include "raft/node_state.hpp"
#include "raft/peer_table.hpp"

#include <optional>
#include <variant>

namespace troupe::raft {

/// Pure: the rules of membership_rules.hpp, with what a leader knows of its log and its peers. Made for one decision.
class change_planner {
 public:
  /// `term_start` is the index of the first entry of the leader's term, which began at `began`. Both objects must
  /// outlive the planner.
  change_planner(const node_state& state, const peer_table& peers, index_t term_start, time_point began, time_point now)
      : state_(state), peers_(peers), term_start_(term_start), began_(began), now_(now) {}

  /// The configuration to append for `what`, or why there is none. `transferring`: the leader transfers its leadership.
  std::variant<configuration, reject_reason> change(const change_members& what, bool transferring) const;
  /// The configuration that promotes the learners that may be promoted now; nullopt if there are none.
  std::optional<configuration> promotions() const;

 private:
  std::optional<reject_reason> cannot_change(const change_members& what, bool transferring) const;
  std::optional<reject_reason> too_early() const;
  std::optional<reject_reason> may_not_commit(const configuration& next) const;
  bool responds(node_id id) const { return id == state_.self() || peers_.responds(id, now_); }
  bool may_vote(const promotion& p, const configuration& c) const;
  configuration with_promotions(const configuration& c) const;

  const node_state& state_;
  const peer_table& peers_;
  index_t term_start_;
  time_point began_;
  time_point now_;
};

} // namespace troupe::raft

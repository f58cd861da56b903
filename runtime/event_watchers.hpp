// Who hears of what happens in the cluster, and what they were told last of this node's role and its leader.
#pragma once

#include "actors/cluster/cluster_events.hpp"

#include <optional>
#include <vector>

namespace troupe {

/// The part of a node that tells. A new watcher hears of role, leader and a disk that stalls what the
/// others were told last, so that all go on from the same.
class event_watchers {
 public:
  explicit event_watchers(node_id self) : self_(self) {}

  /// False if it is among them already: then it is told nothing anew.
  bool add(const event_watcher& one);
  /// False if it was not among them.
  bool remove(const caf::actor_addr& one);
  void clear() { watchers_.clear(); }

  void tell(const cluster_event& event) const;
  void tell_role(raft::role_kind kind, term_t term);
  /// 0: nobody is known to lead. Nothing is told of what they know already.
  void tell_leader(node_id leader, term_t term);
  /// Of this node's own disk.
  void tell_disk(bool stalled);
  /// Who has no core leads nobody, and does not know who does.
  void tell_end_of_core();

 private:
  cluster_event role_event() const { return {cluster_event::kind::role_changed, self_, *role_, role_term_}; }
  cluster_event leader_event() const { return {cluster_event::kind::leader_changed, leader_, {}, leader_term_}; }

  cluster_event disk_event() const {
    using kind = cluster_event::kind;
    return {disk_stalled_ ? kind::disk_stalled : kind::disk_answers, self_};
  }

  node_id self_;
  std::vector<event_watcher> watchers_;
  /// Nothing before the first role.
  std::optional<raft::role_kind> role_;
  term_t role_term_ = 0;
  node_id leader_;
  term_t leader_term_ = 0;
  bool disk_stalled_ = false;
};

} // namespace troupe

// Reports events of the cluster to the node's watchers and to its log.
#pragma once

#include "actors/cluster/cluster_events.hpp"
#include "raft/entry.hpp"
#include "raft/membership/health.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <troupe/log.hpp>
#include <vector>

namespace troupe {

/// Logs each event and sends it to the watchers. A new watcher gets the role, the leader and a stalled disk that the
/// others know, so that all watchers continue from the same state.
class event_watchers {
 public:
  explicit event_watchers(node_id self) : self_(self) {}

  /// False if it is already a watcher; then it gets nothing.
  bool add(const event_watcher& one);
  /// False if it was not a watcher.
  bool remove(const caf::actor_addr& one);
  void clear() { watchers_.clear(); }

  void on_role(raft::role_kind kind, term_t term);
  /// 0: no leader is known. Does nothing if the leader is unchanged.
  void on_leader(node_id leader, term_t term);
  /// The node's first configuration causes no events: later ones are compared with it.
  void on_members(const raft::configuration& members, index_t at);
  void on_health(node_id peer, raft::peer_state state);
  /// This node's disk stalls, or answers again. The caller logs it, since it knows for how long the disk has stalled.
  void on_disk(bool stalled);
  /// A node without a replica is not a leader, and knows none.
  void on_end_of_replica();

 private:
  cluster_event role_event() const { return named({cluster_event::kind::role_changed, self_, {}, *role_, role_term_}); }
  cluster_event leader_event() const {
    return named({cluster_event::kind::leader_changed, leader_, {}, {}, leader_term_});
  }
  cluster_event disk_event() const {
    using kind = cluster_event::kind;
    return named({disk_stalled_ ? kind::disk_stalled : kind::disk_answers, self_});
  }

  cluster_event named(cluster_event event) const;
  void send(const cluster_event& event) const;
  void log_and_send(log_level level, const cluster_event& event) const;
  void judge_majority();

  node_id self_;
  std::vector<event_watcher> watchers_;
  /// Empty before the first role.
  std::optional<raft::role_kind> role_;
  term_t role_term_ = 0;
  node_id leader_;
  term_t leader_term_ = 0;
  /// The log has said that this node campaigns, and no leader has been known since.
  bool campaign_logged_ = false;
  raft::configuration members_;
  /// Addresses of the members, and of those that the last configuration removed.
  std::map<node_id, std::string> addresses_;
  /// Suspected or presumed dead.
  std::set<node_id> silent_;
  bool majority_answers_ = true;
  bool disk_stalled_ = false;
};

} // namespace troupe

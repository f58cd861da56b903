// Events of the cluster, for users who subscribe to them.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <string>
#include <vector>

namespace troupe {

/// One event as the reporting node sees it. Different nodes may see events in different order.
struct cluster_event {
  enum class kind : std::uint8_t {
    leader_changed, ///< `node` leads now; 0: no leader is known
    role_changed,   ///< this node's role is now `role`
    member_joined,  ///< as a learner, or directly as a voter
    member_promoted,
    member_left,
    suspected,    ///< silent for longer than usual
    died,         ///< silent for so long that it is considered dead
    revived,      ///< answers again
    disk_stalled, ///< this node's disk has not answered a write for too long
    disk_answers, ///< this node's disk answers again
  };
  kind what = kind::leader_changed;
  node_id node;
  /// Address of `node` as host:port; empty if unknown.
  std::string address = {};
  raft::role_kind role = raft::role_kind::follower;
  term_t term = 0;
  /// Index of the configuration, for events about members.
  index_t index = 0;
};
/// A human-readable line about the event.
std::string to_string(const cluster_event& event);

using event_watcher = compat::handle<void(cluster_event)>;

/// The events between two successive configurations, the second one at index `at`.
std::vector<cluster_event> member_events(const raft::configuration& before, const raft::configuration& after,
                                         index_t at);

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::cluster_event);

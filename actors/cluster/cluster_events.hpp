// What happens in the cluster, for users who want to hear of it.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <string>
#include <vector>

namespace troupe {

/// One thing that happened, as the node that tells it sees it; nodes may see things in different order.
struct cluster_event {
  enum class kind : std::uint8_t {
    leader_changed, ///< `node` leads now; 0: nobody is known to
    role_changed,   ///< of this node: `role`
    member_joined,  ///< as a learner or at once as a voter
    member_promoted,
    member_left,
    suspected,    ///< not heard for longer than usual
    died,         ///< not heard for so long that it is taken for dead
    revived,      ///< heard again
    disk_stalled, ///< of this node: a write has waited for its disk for too long
    disk_answers, ///< again
  };
  kind what = kind::leader_changed;
  node_id node;
  /// Of `node`, as host:port; empty if it is not known.
  std::string address = {};
  raft::role_kind role = raft::role_kind::follower;
  term_t term = 0;
  /// Of the configuration, for events about members.
  index_t index = 0;
};
/// A line about it for people.
std::string to_string(const cluster_event& event);

using event_watcher = compat::handle<void(cluster_event)>;

/// What of two configurations that follow each other is worth telling.
std::vector<cluster_event> member_events(const raft::configuration& before, const raft::configuration& after,
                                         index_t at);

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::cluster_event);

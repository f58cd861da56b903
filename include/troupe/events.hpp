// What happens in a cluster, for actors that watch it.
#pragma once

#include <cstdint>
#include <string>
#include <troupe/detail/caf.hpp>
#include <troupe/types.hpp>

namespace troupe {

/// One event, as the node that reports it sees it. Nodes may see events in different orders.
struct cluster_event {
  enum class kind : std::uint8_t {
    leader_changed,  ///< `node` leads now; no id: no leader is known
    role_changed,    ///< this node has another role: `role`
    member_joined,   ///< `node` joined a cluster that had been formed, as a learner or at once as a voter
    member_promoted, ///< `node` became a voter
    member_left,     ///< `node` is no longer a member
    suspected,       ///< `node` has been silent for longer than usual: about 4 s
    died,            ///< `node` has been silent for so long that it is considered dead: about 10 s
    revived,         ///< `node` was heard again
    disk_stalled,    ///< this node's disk does not answer
    disk_answers,    ///< it answers again
  };
  kind what = kind::leader_changed;
  node_id node;
  /// The address of `node`, as host:port; empty if it is not known.
  std::string address = {};
  role_kind role = role_kind::follower;
  term_t term = 0;
  /// The index of the configuration, for events about members.
  index_t index = 0;
};
/// Describes the event in one human-readable line.
std::string to_string(const cluster_event& event);

/// An actor that watches; see watch_events (requests.hpp).
using event_watcher = compat::handle<void(cluster_event)>;

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::cluster_event);

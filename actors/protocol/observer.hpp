// The messages from a role to its observers: the owner of the node, and the actor that decides about members.
#pragma once

#include "actors/protocol/interfaces.hpp"

namespace troupe {

/// The effective configuration changed, by an append or by a truncation, and is on disk.
struct configuration_known {
  index_t index = 0;
  raft::configuration members;
};

/// The committed configuration at `index` does not contain this node.
struct removed_from_cluster {
  index_t index = 0;
  /// An operator asked for the removal, or may have.
  bool dismissed = false;
  /// The node was removed at this time or before.
  raft::time_point left_before;
};

/// The disk is stalled, because a write has waited for `waited`; or it answers again.
struct disk_condition {
  bool stalled = false;
  raft::duration waited{};
};

/// From roles: the events that the node's owner needs.
using observer_handle = compat::handle<void(role_changed), void(leader_known), void(configuration_known),
                                       void(removed_from_cluster), void(disk_condition), void(raft::broken_promise)>;

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::configuration_known);
TROUPE_LIBRARY_MESSAGE(troupe::removed_from_cluster);
TROUPE_LIBRARY_MESSAGE(troupe::disk_condition);
TROUPE_LIBRARY_MESSAGE(troupe::raft::broken_promise);

// What a role tells its observers: the owner of the node, and whoever decides about members.
#pragma once

#include "actors/protocol/interfaces.hpp"

namespace troupe {

/// The configuration that counts changed, by an append or back by a truncation, and is on disk.
struct configuration_known {
  index_t index = 0;
  raft::configuration members;
};

/// The committed configuration at `index` does not have this node; `dismissed` because somebody asked for that, or may
/// have. It left no later than `left_before`.
struct removed_from_cluster {
  index_t index = 0;
  bool dismissed = false;
  raft::time_point left_before;
};

/// The disk has begun to stall, after `waited`, or answers again.
struct disk_condition {
  bool stalled = false;
  raft::duration waited{};
};

/// Told by roles what the node's owner wants to know.
using observer_handle = compat::handle<void(role_changed), void(leader_known), void(configuration_known),
                                       void(removed_from_cluster), void(disk_condition), void(raft::broken_promise)>;

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::configuration_known);
TROUPE_LOCAL_MESSAGE(troupe::removed_from_cluster);
TROUPE_LOCAL_MESSAGE(troupe::disk_condition);
TROUPE_LOCAL_MESSAGE(troupe::raft::broken_promise);

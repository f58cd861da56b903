// What a role actor needs to know of its surroundings, handed from role to role.
#pragma once

#include "actors/interfaces.hpp"

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

struct role_context {
  /// Of the role that owns this context.
  epoch_t epoch = 0;
  links_handle links;
  endpoint_handle endpoint;
  proxy_handle proxy;
  log_store_handle log;
  dispatcher_handle dispatcher;
  snapshot_store_handle snapshots;
  observer_handle observer;
  /// The last index handed to the dispatcher.
  index_t dispatched = 0;
  /// The commit index at the first contact with a leader in this run.
  std::optional<index_t> ready_at;
};

/// How many actors answer a role_changed with `drained`: endpoint, proxy, log store, dispatcher, snapshot store.
inline constexpr int role_senders = 5;

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::configuration_known);
TROUPE_LOCAL_MESSAGE(troupe::removed_from_cluster);
TROUPE_LOCAL_MESSAGE(troupe::disk_condition);
TROUPE_LOCAL_MESSAGE(troupe::raft::broken_promise);

// Spawns the actors of a replica: its stores, services and dispatcher, and its first role.
#pragma once

#include "raft/node_state.hpp"
#include "runtime/node_setup.hpp"

#include <functional>

namespace troupe {

/// The actors of a replica that others send to, except its role.
struct replica_parts {
  log_store_handle log;
  staging_handle staging;
  snapshot_store_handle snapshots;
  dispatcher_handle dispatcher;
};

struct spawned_replica {
  replica_parts parts;
  /// What the proxy must learn.
  replica_up up;
  /// The last entry that the services' state contains.
  index_t dispatched = 0;
};

/// `self` is the node, whose replica had `epoch` roles before. Takes the parts of `log` that the actors own. Calls
/// `watch` with each actor at once, services included: if this function throws, the caller can end them.
spawned_replica spawn_replica(caf::local_actor& self, const node_setup& setup, const node_actors& around, epoch_t epoch,
                              opened_log& log, const std::function<void(const caf::actor&)>& watch);

/// A replica starts as a follower. The proxy must have been sent `replica_up` before.
caf::actor spawn_first_role(caf::local_actor& self, const spawned_replica& replica, const node_actors& around,
                            observer_handle observer, epoch_t epoch, raft::node_state state);

} // namespace troupe

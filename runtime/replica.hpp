// Spawns the actors of a replica: its stores, services and dispatcher, and its first role.
#pragma once

#include "raft/node_state.hpp"
#include "runtime/node_setup.hpp"

#include <vector>

namespace troupe {

/// The actors of a replica, except its role.
struct replica_parts {
  caf::actor_addr log;
  log_store_handle store;
  staging_handle staging;
  snapshot_store_handle snapshots;
  dispatcher_handle dispatcher;
  /// All of them, with the services.
  std::vector<caf::actor> all;
  /// What the proxy must know of them.
  replica_up up;
  /// The last entry that the services' state contains.
  index_t dispatched = 0;
};

/// `self` is the node, whose replica had `epoch` roles before. Takes the parts of `log` that the actors own.
replica_parts spawn_replica(caf::local_actor& self, const node_setup& setup, const node_actors& around, epoch_t epoch,
                            opened_log& log);

/// A replica starts as a follower. The proxy must have got `parts.up` before.
caf::actor spawn_first_role(caf::local_actor& self, const replica_parts& parts, const node_actors& around,
                            observer_handle observer, epoch_t epoch, raft::node_state state);

} // namespace troupe

// A node's services as state machines, made anew or loaded from a snapshot.
#pragma once

#include "actors/snapshot_files.hpp"
#include "services/machine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// By name.
using machine_set = std::map<std::string, std::unique_ptr<services::machine>, std::less<>>;

/// Makes one service's state machine, in its first state. Called on several threads.
using machine_factory = std::function<std::unique_ptr<services::machine>()>;

machine_set make_machines(const std::vector<machine_factory>& services);

/// Fresh machines with the state of a snapshot; one that the snapshot does not know keeps its first state. Blocks while
/// it reads. Throws `raft::storage_error` for a snapshot that is damaged or holds a service that is not among these.
machine_set load_machines(snapshot_files& files, const raft::snapshot_id& id,
                          const std::vector<machine_factory>& services, raft::snapshot_point& at);

} // namespace troupe

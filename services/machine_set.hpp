// A node's services as state machines, made anew or loaded from a snapshot.
#pragma once

#include "raft/storage.hpp"
#include "services/machine.hpp"
#include "services/snapshot_files.hpp"

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

/// A snapshot holds what this program cannot load: a service that it does not run, or a state that a service refuses.
/// The bytes may be good, and another version of the program may load them.
class not_loadable : public raft::storage_error {
 public:
  using raft::storage_error::storage_error;
};

machine_set make_machines(const std::vector<machine_factory>& services);

/// Reads a snapshot from end to end, as snapshot_files::load does, and returns its place.
using snapshot_reading = std::function<raft::snapshot_point(const snapshot_section& each)>;

/// Fresh machines with the state of what is read; errors as below.
machine_set load_machines(const snapshot_reading& read, const std::vector<machine_factory>& services,
                          raft::snapshot_point& at);
/// Fresh machines with the state of a snapshot; one that the snapshot does not know keeps its first state. Blocks while
/// it reads. Throws `not_loadable`, and `raft::storage_error` for a snapshot that is damaged or cannot be read.
machine_set load_machines(snapshot_files& files, const raft::snapshot_id& id,
                          const std::vector<machine_factory>& services, raft::snapshot_point& at);

} // namespace troupe

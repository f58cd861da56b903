// A node's services as state machines, in their initial state or loaded from a snapshot.
#pragma once

#include "raft/storage.hpp"
#include "services/snapshot_files.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <troupe/detail/machine.hpp>
#include <vector>

namespace troupe {

/// By name.
using machine_set = std::map<std::string, std::unique_ptr<detail::machine>, std::less<>>;

using detail::machine_factory;

/// A snapshot contains something that this program cannot load: a service that it does not run, or a state that a
/// service rejects. The bytes may be undamaged, and another version of the program may load them.
class not_loadable : public raft::storage_error {
 public:
  using raft::storage_error::storage_error;
};

machine_set make_machines(const std::vector<machine_factory>& services);

/// Reads a snapshot from end to end, as snapshot_files::load does, and returns its position.
using snapshot_reading = std::function<raft::snapshot_point(const snapshot_section& each)>;

/// Makes machines with the state that `read` passes on. Errors are those of the next function.
machine_set load_machines(const snapshot_reading& read, const std::vector<machine_factory>& services,
                          raft::snapshot_point& at);
/// Makes machines with the state of a snapshot. A service that the snapshot does not have keeps its initial state.
/// Blocks while it reads. Throws `not_loadable`, and `raft::storage_error` for a snapshot that is damaged or cannot be
/// read.
machine_set load_machines(snapshot_files& files, const raft::snapshot_id& id,
                          const std::vector<machine_factory>& services, raft::snapshot_point& at);

} // namespace troupe

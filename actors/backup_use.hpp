// Which staged backups this node's log still depends on.
#pragma once

#include "raft/snapshot.hpp"
#include "raft/storage.hpp"

#include <vector>

namespace troupe {

/// An entry of the log that restores a backup.
struct backup_use {
  raft::snapshot_id backup;
  raft::index_t at = 0;
};

/// All of them, in log order. A node that starts from a snapshot does not apply these entries again, but needs the
/// backups if it has to go back to the snapshot before. Reads the whole log: blocking. Throws `storage_error`.
std::vector<backup_use> backup_uses(raft::storage& log, const raft::recovered& disk);

} // namespace troupe

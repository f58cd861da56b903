// Finds the staged backups that this node's log still depends on.
#pragma once

#include "raft/snapshot.hpp"
#include "raft/storage.hpp"

#include <stop_token>
#include <vector>

namespace troupe {

/// A log entry that restores a backup.
struct backup_use {
  raft::snapshot_id backup;
  raft::index_t at = 0;
};

/// All restore entries of the log, in log order. A node that starts from a snapshot does not apply these entries again,
/// but needs the backups if it has to fall back to the previous snapshot. Blocks, as it reads the whole log.
/// Throws `storage_error`, also soon after a stop is requested.
std::vector<backup_use> backup_uses(raft::storage& log, const raft::recovered& disk, const std::stop_token& stop);

} // namespace troupe

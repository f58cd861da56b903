// A backup as the beginning of a new cluster (docs/operations.md).
#pragma once

#include "raft/membership/formation.hpp"
#include "runtime/storage/data_dir.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/wal.hpp"
#include "services/machine_set.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <vector>

namespace troupe {

/// Reads all of a backup and returns the checksum that it is known by; nothing if there is no such file. Throws
/// `storage_error` when it is damaged or holds a service that is not among these.
std::optional<std::uint64_t> check_backup(file_system& fs, const std::filesystem::path& file,
                                          const std::vector<machine_factory>& services);

/// Whether a node with this directory is still to begin with the backup: false, with a line in the log, when its
/// cluster already did. Throws `storage_error` when the directory belongs to anything else. Nothing changes.
bool is_to_restore(const data_dir& directory, const std::filesystem::path& file,
                   const std::optional<std::uint64_t>& backup);

/// Makes the backup this node's first state, in a cluster of the decision's id and members, at the place in the log at
/// which it was taken; does nothing on a node that has a state. Each step is durable before the next, and a crash in
/// between leaves what can be done again. Throws `storage_error`, also when the file is not the decision's, and
/// `reading_stopped` when a stop is requested.
void install_backup(file_system& fs, const std::filesystem::path& file, const data_dir& directory,
                    const wal_options& options, snapshot_dir& snapshots, const raft::membership_decision& as,
                    const std::stop_token& stop = {});

} // namespace troupe

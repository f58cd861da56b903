// Starts a new cluster from a backup (docs/operations.md).
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

/// Reads all of a backup and returns the checksum that identifies it; empty if the file does not exist. Throws
/// `storage_error` if it is damaged or contains a service that is not in `services`.
std::optional<std::uint64_t> check_backup(file_system& fs, const std::filesystem::path& file,
                                          const std::vector<machine_factory>& services);

/// True if a node with this directory must still restore the backup. False, with a line in the log, if its cluster has
/// already begun with it. Throws `storage_error` if the directory belongs to anything else. Changes nothing.
bool is_to_restore(const data_dir& directory, const std::filesystem::path& file,
                   const std::optional<std::uint64_t>& backup);

/// Makes the backup this node's initial state, in the cluster and with the members of the decision, at the log position
/// at which the backup was taken. Does nothing on a node that already has a state. Each step is durable before the
/// next, and after a crash in between the call can be repeated. Throws `storage_error`, also if the file is not the
/// backup that the decision names, and `reading_stopped` if a stop is requested.
void install_backup(file_system& fs, const std::filesystem::path& file, const data_dir& directory,
                    const wal_options& options, snapshot_dir& snapshots, const raft::membership_decision& as,
                    const std::stop_token& stop = {});

} // namespace troupe

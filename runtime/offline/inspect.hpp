// The commands that only look: inspect, verify, dump, snapshot verify, and those of troupe-backup. They run what a
// starting node runs, on an overlay, and so see what it would see.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include "raft/base/types.hpp"

#include <filesystem>

namespace troupe::offline {

/// Each returns an exit code, and throws `usage_error` for what is no data directory or in use, `storage_error` when
/// the disk fails or holds what is of another version. Of a damaged log they show what is before the damage.
int inspect(file_system& fs, const std::filesystem::path& path, console& to);
/// Shows one entry.
int inspect_entry(file_system& fs, const std::filesystem::path& path, raft::index_t index, console& to);
/// Checks every checksum of identity, log and snapshots.
int verify(file_system& fs, const std::filesystem::path& path, console& to);
/// Shows every entry, a line of JSON each.
int dump(file_system& fs, const std::filesystem::path& path, console& to);
/// Checks one snapshot file, which may be a backup, and shows what it holds.
int verify_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to);
/// Shows what head and end of one snapshot file say, and reads no more of it.
int inspect_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to);

} // namespace troupe::offline

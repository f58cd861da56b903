// The read-only commands: inspect, verify, dump, snapshot verify, and those of troupe-backup. They run the code of a
// starting node on an overlay, so they see what the node would see.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/snapshot_reader.hpp"

#include "raft/base/types.hpp"

#include <filesystem>

namespace troupe::offline {

/// Each returns an exit code. It throws `usage_error` if the path is not a data directory or is in use, and
/// `storage_error` if the disk fails or a file has an unsupported version. Of a damaged log the commands show the part
/// before the damage.
int inspect(file_system& fs, const std::filesystem::path& path, console& to);
/// Shows one entry.
int inspect_entry(file_system& fs, const std::filesystem::path& path, raft::index_t index, console& to);
/// Checks every checksum of identity, log and snapshots.
int verify(file_system& fs, const std::filesystem::path& path, console& to);
/// Shows every entry as one line of JSON.
int dump(file_system& fs, const std::filesystem::path& path, console& to);
/// Checks one snapshot file, which may be a backup, and shows its content.
int verify_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to);
/// Reads only the header and the end of one snapshot file and shows them.
int inspect_snapshot_file(file_system& fs, const std::filesystem::path& file, file_role role, console& to);

} // namespace troupe::offline

// The command that turns the directory of a node with a damaged log or identity into that of a new node.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>

namespace troupe::offline {

/// Says what is damaged and asks (unless `yes`). Then moves everything into a directory within `path`, cuts the log at
/// its first damage, keeps the bytes after that in separate files, and writes a new identity. What is cut was synced
/// once (every start cuts an unsynced tail without this command), so the node may have voted and acknowledged entries
/// that it no longer has: it must not take part under its old id.
///
/// A crash never leaves a directory in which a node would start under the old id without its whole log. Exit codes,
/// `usage_error` and `storage_error` as in inspect.hpp.
int repair(file_system& fs, const std::filesystem::path& path, bool yes, console& to);

} // namespace troupe::offline

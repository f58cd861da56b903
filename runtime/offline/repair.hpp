// The command that makes a node start again whose log or identity is damaged: as a new node.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>

namespace troupe::offline {

/// Says what is damaged, asks (unless `yes`), and then puts everything aside into a directory within `path`, the log
/// cut at its first damage and the bytes behind it kept in files of their own, and writes a new identity. What is cut
/// was synced once (the tail that was not is cut by every start, without this command), so the node may have voted and
/// acknowledged what it no longer has: it must not take part under its old id.
///
/// Whatever the moment of a crash, the directory is not one that a node would start on under the old id without all of
/// its log. Exit codes, `usage_error` and `storage_error` as in inspect.hpp.
int repair(file_system& fs, const std::filesystem::path& path, bool yes, console& to);

} // namespace troupe::offline

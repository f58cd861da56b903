// The command for a cluster whose majority is lost for good: one survivor becomes a new cluster of one.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::offline {

/// Makes the first of these data directories a new cluster, with a new id and itself as only member. The others are
/// those of all other survivors, and only looked at: if one of them has more of the log (by term, then index, as in an
/// election), that is the one to begin with, and this throws `usage_error`. `address` is where the node can be reached;
/// empty: as the last configuration says. Says what may be lost, and asks unless `yes`.
///
/// In this order, each step durable before the next: the snapshot is copied for the new cluster, the identity changes,
/// the new configuration is appended in a term above all, the old cluster's snapshots go. At no moment does a node of
/// the old cluster have a configuration that it could lead alone; after a crash the command can be run again.
int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const std::string& address, bool yes,
            console& to);

} // namespace troupe::offline

// The command for a cluster whose majority is lost for good: one survivor becomes a new cluster of one.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::offline {

struct recover_options {
  /// Where the node can be reached, host:port; empty: as the last configuration says.
  std::string address = {};
  /// Does it although the named survivors are a majority, with which the old cluster could go on.
  bool despite_majority = false;
  bool yes = false; ///< does not ask
};

/// Makes the first of these data directories a new cluster, with a new id and itself as only member. The others are
/// those of all other survivors, and only looked at: if one of them has more of the log (by term, then index, as in an
/// election), that is the one to begin with, and this throws `usage_error`; so it does when they are a majority. Says
/// what may be lost, and asks. Of a node that is the only member of its cluster already nothing is made.
///
/// In this order, each step durable before the next: the snapshot is copied for the new cluster, the identity changes,
/// the new configuration is appended in a term above all, the old cluster's snapshots go. At no moment does a node of
/// the old cluster have a configuration that it could lead alone; after a crash the command can be run again.
int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const recover_options& options,
            console& to);

} // namespace troupe::offline

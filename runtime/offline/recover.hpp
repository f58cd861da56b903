// The command for a cluster whose majority is permanently lost: one survivor becomes a new cluster of one.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::offline {

struct recover_options {
  /// The address of the node, host:port. If empty, the address in the last configuration.
  std::string address = {};
  /// Recovers even if the named survivors are a majority, with which the old cluster could continue.
  bool despite_majority = false;
  bool yes = false; ///< do not ask
};

/// Turns the first of these data directories into a new cluster, with a new id and itself as the only member. The
/// others are those of all other survivors and are only read. Throws `usage_error` if one of them has a newer log (by
/// term, then index, as in an election), because the recovery has to use that one, and also if the survivors are a
/// majority. Says what may be lost, and asks. Changes nothing if the node is already the only member of its cluster.
///
/// The steps, each durable before the next: copy the snapshot for the new cluster, change the identity, append the new
/// configuration in a term above all others, remove the old cluster's snapshots. A node of the old cluster never has a
/// configuration with which it could lead alone. After a crash the command can be run again.
int recover(file_system& fs, const std::vector<std::filesystem::path>& paths, const recover_options& options,
            console& to);

} // namespace troupe::offline

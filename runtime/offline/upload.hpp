// Restores a backup into a running cluster: sends it to one of its nodes, which does the rest.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace troupe::offline {

/// It is unknown whether the backup was restored: the node did not answer in time, or did not know.
inline constexpr int outcome_unknown = 3;

struct upload_options {
  bool yes = false;           ///< do not ask
  bool other_cluster = false; ///< accept a backup of another cluster than the node's
  bool stage_only = false;    ///< only store the backup on the node, without restoring it
  /// Time limit until a majority of the nodes holds the backup.
  std::chrono::seconds timeout{300};
  /// How long a node that has answered before may be unreachable or busy before the upload is given up. If the command
  /// is run again soon, it continues where it stopped.
  std::chrono::milliseconds patience{60'000};
  std::chrono::milliseconds retry_interval{1'000};
  /// Interval of the messages while it waits for the restore.
  std::chrono::milliseconds report_every{10'000};
};

/// Checks the file, shows what is restored where, asks, sends the file in chunks to the node whose HTTP API is at
/// `url`, "http://host:port", and has it restored. With `stage_only` it neither asks nor restores. Returns an exit
/// code; sends nothing if the file is damaged. Throws `usage_error` if the request is not possible and nothing has
/// changed.
int upload(file_system& fs, const std::filesystem::path& file, const std::string& url, const upload_options& options,
           console& to);

} // namespace troupe::offline

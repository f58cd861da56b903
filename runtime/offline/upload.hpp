// Restores a backup into a running cluster: sends it to one of its nodes, which does the rest.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/file_system.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace troupe::offline {

/// Whether it was restored cannot be said: the node did not answer in time, or could not know.
inline constexpr int outcome_unknown = 3;

struct upload_options {
  bool yes = false;           ///< does not ask
  bool other_cluster = false; ///< takes a backup of another cluster than the node's
  bool stage_only = false;    ///< the node keeps the backup, and nothing is restored
  /// For a majority of the nodes to hold the backup.
  std::chrono::seconds timeout{300};
  /// How long a node that did answer may stay away, or busy, before the sending is given up. What was sent by then is
  /// gone on with the next time, if that is soon.
  std::chrono::milliseconds patience{60'000};
  std::chrono::milliseconds between_attempts{1'000};
  /// How often it says that it waits.
  std::chrono::milliseconds tell_every{10'000};
};

/// Checks the file, shows what is to be restored where, asks, sends it piece by piece to the node whose HTTP API is at
/// `url`, "http://host:port", and has it restored; with `stage_only` it neither asks nor restores. Returns an exit
/// code: of a damaged file nothing is sent. Throws `usage_error` for what cannot be done and has changed nothing.
int upload(file_system& fs, const std::filesystem::path& file, const std::string& url, const upload_options& options,
           console& to);

} // namespace troupe::offline

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

/// How long the other end may stay away, or busy, before the sending is given up. What was sent by then is gone on with
/// the next time, if that is soon.
struct upload_patience {
  std::chrono::milliseconds in_all{60'000};
  std::chrono::milliseconds between{1'000};
};

/// Checks the file, sends it piece by piece to the node whose HTTP API is at `url`, "http://host:port", and has it
/// restored. Returns an exit code: of a damaged file nothing is sent. Throws `usage_error` for what cannot be done and
/// has changed nothing.
int upload(file_system& fs, const std::filesystem::path& file, const std::string& url, console& to,
           upload_patience patience = {});

} // namespace troupe::offline

// What the tests of backup and recovery share: the programs that they run, and a map to compare before and after.
#pragma once

#include "tests/process/cluster.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe::testing {

inline constexpr int keys = 300;

/// Runs a program to its end.
program_end run_program(std::vector<std::string> command);

/// The node's HTTP API.
std::string url_of(const server& node);

/// Asks the node for a backup, with curl. Beside the file is what the server said of it, in FILE.head.
std::filesystem::path backup_of(const server& node, const std::string& name);

/// Runs troupe-backup.
program_end restore_into(const server& node, const std::filesystem::path& file,
                         const std::vector<std::string>& more = {"--yes"});

/// Writes so many keys.
void fill(cluster& nodes, std::size_t through, int count = keys);

/// Each key's value and revision, as the API shows them.
std::vector<std::string> content(const server& node, const char* level, int count = keys);

/// Nodes of a cluster to be, those at these positions with `--restore FILE`.
cluster::options_of_node restoring(const std::filesystem::path& file, const std::vector<std::size_t>& at);

} // namespace troupe::testing

// Helpers for the tests of backup and recovery: run the tools, and compare a map before and after.
#pragma once

#include "tests/process/cluster.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe::testing {

inline constexpr int keys = 300;

/// Runs a program until it exits.
program_end run_program(std::vector<std::string> command);

/// The URL of the node's HTTP API.
std::string url_of(const server& node);

/// Downloads a backup from the node with curl, and the response's headers to FILE.head.
std::filesystem::path backup_of(const server& node, const std::string& name);

/// Runs `troupe-backup restore` with further options.
program_end restore_into(const server& node, const std::filesystem::path& file,
                         const std::vector<std::string>& more = {"--yes"});

/// Writes `count` keys.
void fill(cluster& nodes, std::size_t through, int count = keys);

/// Each key's value and revision, as the API shows them.
std::vector<std::string> content(const server& node, const char* level, int count = keys);

/// Options for a new cluster in which the nodes at these positions get `--restore FILE`.
cluster::options_of_node restoring(const std::filesystem::path& file, const std::vector<std::size_t>& at);

} // namespace troupe::testing

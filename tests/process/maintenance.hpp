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

/// Writes so many keys.
void fill(cluster& nodes, std::size_t through, int count = keys);

/// Each key's value and revision, as the API shows them.
std::vector<std::string> content(const server& node, const char* level, int count = keys);

/// Nodes of a cluster to be, those at these positions with `--restore FILE`.
cluster::options_of_node restoring(const std::filesystem::path& file, const std::vector<std::size_t>& at);

} // namespace troupe::testing

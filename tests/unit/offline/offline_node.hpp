// Data directories and a captured console for the tests of the offline tools.
#pragma once

#include "runtime/offline/console.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/open_state.hpp"

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>

namespace troupe::test {

inline constexpr raft::cluster_id old_cluster{0xc1};

struct directory_options {
  raft::index_t entries = 20;
  raft::term_t last_term = 3;
  raft::index_t snapshot_at = 0; ///< 0: none
  bool compacted = false;        ///< up to the snapshot
  int other_voters = 1;          ///< 1: node 8; 2: nodes 8 and 10
  raft::node_id id = {};         ///< 0: random
};

/// Makes a member's data directory. Entry 1 is a configuration with this node at "here:1" and others. Commands of the
/// map service follow, one entry per batch; the last one has the term `last_term`. Returns the node's id.
raft::node_id make_directory(file_system& fs, const std::filesystem::path& path, const directory_options& how);

/// Does what a start of the node does, without the content of snapshots. Returns what it found.
raft::recovered start(file_system& fs, const std::filesystem::path& path);

/// A console that keeps its output and answers every question with `answer`.
struct captured {
  std::ostringstream out;
  std::ostringstream err;
  bool answer = false;
  int asked = 0;
  offline::console to{out, err, [this](const std::string&) {
                        ++asked;
                        return answer;
                      }};
};

std::filesystem::path segment(const std::filesystem::path& directory, std::uint64_t sequence);

} // namespace troupe::test

// Data directories for the tests of the offline tool, and what it prints.
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
  int other_voters = 1;          ///< 8, 10
  raft::node_id id = {};         ///< 0: drawn
};

/// Makes a member's data directory: entry 1 is a configuration with this node at "here:1" and others, then there
/// are commands of the map service, one entry a batch; the last one is of `last_term`. Returns the node's id.
raft::node_id make_directory(file_system& fs, const std::filesystem::path& path, const directory_options& how);

/// What a start of the node finds, with the snapshots' content unread.
raft::recovered start(file_system& fs, const std::filesystem::path& path);

/// A console that answers no unless told otherwise.
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

// A node's life on disk, drawn from a seed, with the dumb oracle beside it: all entries since the first, never
// compacted.
#pragma once

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/open_state.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

/// What the services' state comes to after these entries.
std::uint64_t state_after(const std::vector<raft::entry>& entries, std::uint64_t before = 0);

/// A node that was opened, its services brought up to date from snapshot and log.
struct opened_node {
  std::unique_ptr<snapshot_dir> snapshots;
  std::unique_ptr<wal> log;
  raft::recovered found;
  std::uint64_t state = 0;
  int loads = 0; // how often a snapshot was tried

  explicit opened_node(file_system& fs);
  /// The log behind found.start.
  log_model read();
};

/// Appends, truncations, votes, snapshots taken and received, resets, compactions, prunings and restarts. Functions
/// throw what the disk throws.
class node_history {
 public:
  /// `fs` must outlive the history.
  node_history(memory_file_system& fs, std::uint64_t seed);

  void step();

  /// What may be found after a crash right now: whole logs, beginning with entry 1.
  std::vector<log_model> allowed() const;
  const log_model& model() const noexcept { return applied_; }
  /// Null after a restart that failed.
  opened_node* node() noexcept { return node_.get(); }
  void reopen();

 private:
  void append();
  void replace_tail();
  void take_snapshot();
  void receive_snapshot();
  void compact();
  void write(const raft::write& change);
  raft::entry draw_entry(raft::index_t index, raft::term_t term);
  raft::snapshot_id write_snapshot(snapshot_files& to, raft::index_t at);

  memory_file_system& fs_;
  random_source random_;
  std::unique_ptr<opened_node> node_;
  log_model synced_;
  log_model applied_;
  raft::index_t committed_ = 0;
};

} // namespace troupe::test

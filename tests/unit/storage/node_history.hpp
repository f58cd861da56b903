// A random history of a node's disk, generated from a seed, with a simple oracle: all entries since the first, never
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

/// The state of the services after these entries.
std::uint64_t state_after(const std::vector<raft::entry>& entries, std::uint64_t before = 0);

/// An opened node whose services were restored from snapshot and log.
struct opened_node {
  std::unique_ptr<snapshot_dir> snapshots;
  std::unique_ptr<wal> log;
  raft::recovered found;
  std::uint64_t state = 0;
  int loads = 0; // number of snapshots tried

  explicit opened_node(file_system& fs);
  /// The log after found.start.
  log_model read();
};

/// Performs appends, truncations, votes, taken and received snapshots, resets, compactions, prunings and restarts.
/// Functions throw what the disk throws.
class node_history {
 public:
  /// `fs` must outlive the history.
  node_history(memory_file_system& fs, std::uint64_t seed);

  void step();

  /// The logs that may be found after a crash now, complete from entry 1 on.
  std::vector<log_model> allowed() const;
  const log_model& model() const noexcept { return applied_; }
  /// Null after a failed restart.
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

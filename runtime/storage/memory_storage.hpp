// Raft storage in memory, for tests and simulations: it can crash and forget what was not synced.
#pragma once

#include "runtime/storage/log_shape.hpp"

#include <vector>

namespace troupe {

/// Keeps one copy of the log and, for every write since the last sync, what undoes it: a write costs its entries, a
/// sync next to nothing, a crash what it forgets. One thread at a time.
class memory_storage final : public raft::storage {
 public:
  void apply(const raft::write& change) override;
  void sync() override;
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override;
  void compact(raft::index_t) override {}

  /// How many writes a crash could lose.
  std::size_t unsynced() const noexcept { return unsynced_.size(); }
  /// Loses the writes since the last sync except the first `keep` of them, which are then on disk; ends a failure
  /// that `fail` began. What is left is returned as if the storage had been opened anew.
  raft::recovered crash(std::size_t keep);
  /// From now on `apply` and `sync` throw, as after a failed sync, until the next crash.
  void fail() noexcept { failed_ = true; }
  /// What the storage holds, unsynced writes included.
  raft::recovered contents() const;

 private:
  struct undo {
    raft::hard_state hard;
    raft::index_t kept = 0; // entries up to here are older than the write
    std::vector<raft::entry> dropped;
  };

  void undo_last();

  raft::hard_state hard_;
  std::vector<raft::entry> entries_; // entries_[i].index == i + 1
  log_shape shape_;                  // always that of entries_
  std::vector<undo> unsynced_;
  bool failed_ = false;
};

} // namespace troupe

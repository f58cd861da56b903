// Raft storage in memory, for tests and simulations: it can crash and forget what was not synced.
#pragma once

#include "runtime/storage/log_shape.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace troupe {

/// Keeps one copy of the log and, for every write since the last sync, what undoes it: a write costs its entries, a
/// sync next to nothing, a crash what it forgets. One thread at a time.
class memory_storage final : public raft::storage {
 public:
  void apply(const raft::write& change) override;
  void sync() override;
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override;
  /// Drops at once what was synced, and the rest with the next sync; a crash before that leaves it there.
  void compact(raft::index_t up_to) override;
  bool has_room() override { return has_room_; }

  /// How many writes a crash could lose.
  std::size_t unsynced() const noexcept { return unsynced_.size(); }
  /// Loses the writes since the last sync except the first `keep` of them, which are then on disk; ends a failure
  /// that `fail` began. What is left is returned as if the storage had been opened anew.
  raft::recovered crash(std::size_t keep);
  /// From now on `apply` and `sync` throw, as after a failed sync, until the next crash.
  void fail() noexcept { failed_ = true; }
  /// What `has_room` says from now on. Writes succeed all the same.
  void set_room(bool room) noexcept { has_room_ = room; }
  /// What the storage holds, unsynced writes included.
  raft::recovered contents() const { return describe(shape_, hard_); }

 private:
  struct undo {
    raft::hard_state hard;
    std::optional<raft::log_position> start; // where the log began that a reset dropped
    raft::index_t kept = 0;                  // entries up to here are older than the write
    std::vector<raft::entry> dropped;
  };

  /// Moves the entries behind `kept` out of the log.
  std::vector<raft::entry> cut(raft::index_t kept);
  void drop_compacted();
  void undo_last();

  raft::hard_state hard_;
  std::deque<raft::entry> entries_; // entries_[i].index == shape_.start().index + 1 + i
  log_shape shape_;                 // always that of entries_
  std::vector<undo> unsynced_;
  raft::index_t compact_to_ = 0;
  bool has_room_ = true;
  bool failed_ = false;
};

} // namespace troupe

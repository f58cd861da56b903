// Raft storage in memory, for tests and simulations. It can crash and lose unsynced writes.
#pragma once

#include "runtime/storage/log_shape.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace troupe {

/// Keeps one copy of the log and an undo record for every write since the last sync: a write costs as much as its
/// entries, a sync almost nothing, a crash as much as it loses. Not thread-safe.
class memory_storage final : public raft::storage {
 public:
  void apply(const raft::write& change) override;
  void sync() override;
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override;
  /// If all writes are synced, drops the entries at once; otherwise with the next sync. A crash before that sync leaves
  /// them there.
  void compact(raft::index_t up_to) override;
  bool has_room() override { return has_room_; }

  /// Number of writes that a crash could lose.
  std::size_t unsynced() const noexcept { return unsynced_.size(); }
  /// Loses the writes since the last sync except the first `keep` of them, which are then on disk. Ends a failure that
  /// `fail` began. Returns what is left, as if the storage had been reopened.
  raft::recovered crash(std::size_t keep);
  /// Until the next crash, `apply` and `sync` throw, as after a failed sync.
  void fail() noexcept { failed_ = true; }
  /// Sets the result of `has_room`. Writes still succeed.
  void set_room(bool room) noexcept { has_room_ = room; }
  /// The content of the storage, including unsynced writes.
  raft::recovered contents() const { return describe(shape_, hard_); }

 private:
  struct undo {
    raft::hard_state hard;
    std::optional<raft::log_position> start; // start of the log before a reset
    raft::index_t kept = 0;                  // entries up to here are older than the write
    std::vector<raft::entry> dropped;
  };

  /// Removes the entries after `kept` from the log and returns them.
  std::vector<raft::entry> cut(raft::index_t kept);
  void drop_compacted();
  void undo_last();

  raft::hard_state hard_;
  std::deque<raft::entry> entries_; // entries_[i].index == shape_.start().index + 1 + i
  log_shape shape_;                 // always describes entries_
  std::vector<undo> unsynced_;
  raft::index_t compact_to_ = 0;
  bool has_room_ = true;
  bool failed_ = false;
};

} // namespace troupe

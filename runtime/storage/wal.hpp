// The durable log of a node: term, vote and entries in segment files (docs/log-format.md).
#pragma once

#include "runtime/storage/wal_recovery.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// `raft::storage` on a directory. `apply` only encodes into memory; `sync` makes everything applied since the last one
/// a batch, which is one write and one fdatasync, and on disk wholly or not at all. Blocking; used by one thread at a
/// time. The caller makes sure that no other process has the directory open (`data_dir` holds a lock).
class wal final : public raft::storage {
 public:
  /// Opens the log in `directory`, which is made if it does not exist, and tells what is in it; all of that is on disk
  /// when this returns. `fs` must outlive the log. Throws `storage_error` when the log is damaged, and
  /// `reading_stopped` when a stop is requested.
  static std::unique_ptr<wal> open(file_system& fs, std::filesystem::path directory, const wal_options& options,
                                   raft::recovered& out, const std::stop_token& stop = {});

  void apply(const raft::write& change) override;
  void sync() override;
  /// Sees what was applied, synced or not. The data of entries that were written together shares one block.
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override;

  /// Removes the oldest segments as far as all their entries are synced and not above `up_to`, or were dropped by a
  /// reset: a few now, since removing a large file takes its time, and a few with each `has_room`. After a temporary
  /// error the rest goes with the next call.
  void compact(raft::index_t up_to) override;
  /// True when the next segment is preallocated (`wal_spare`): then the entries of one whole segment will find room.
  /// After a temporary error the answer is that of before.
  bool has_room() override;

 private:
  wal(file_system& fs, std::filesystem::path directory, const wal_options& options, wal_spare spare, wal_state state);

  /// Runs a change of the log; when it throws, but for a temporary reason, the log takes no further change.
  template <typename Change> void guarded(Change&& change);
  bool fits_batch() const;
  void roll();
  void drop_some();
  bool droppable(const wal_segment& next, raft::index_t up_to) const;
  void move_start();
  void write_batch();
  std::size_t count_readable(raft::index_t first, raft::index_t last, std::size_t max_bytes) const;
  /// Reads `count` entries from `first` on whose records stand side by side.
  void read_run(raft::index_t first, std::size_t count, std::vector<raft::entry>& into);
  std::string read_block(const wal_location& from, std::size_t size);

  file_system& fs_;
  std::filesystem::path directory_;
  wal_options options_;
  wal_spare spare_;
  wal_state state_;
  bool failed_ = false;

  // What is applied but not synced: records without checksums. Their entries, the last ones of state_.locations, are
  // located in `batch_`, under the segment number `unwritten`.
  std::string batch_;
  bool batch_has_entries_ = false;
  bool batch_has_commands_ = false;
  bool batch_has_reset_ = false;
  log_point synced_; // state_ without them
  raft::index_t compact_to_ = 0;
  std::uint64_t zeroed_ = 0; // up to here the current segment's blocks have been written once

  std::unique_ptr<directory> names_; // null until a segment is removed
  std::unique_ptr<file> older_;      // an older segment that was read last
  std::uint32_t older_segment_ = 0;
};

} // namespace troupe

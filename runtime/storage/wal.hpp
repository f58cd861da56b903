// The durable log of a node: term, vote and entries in segment files (docs/log-format.md).
#pragma once

#include "runtime/storage/wal_recovery.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// `raft::storage` in a directory. `apply` only encodes into memory. `sync` makes a batch of everything applied since
/// the last one: it takes one write and one fdatasync, and after a crash it is on disk as a whole or not at all.
/// Blocking; not thread-safe. The caller makes sure that no other process has the directory open (`data_dir` holds a
/// lock).
class wal final : public raft::storage {
 public:
  /// Opens the log in `directory`, which is created if it does not exist, and describes its content in `out`. All of
  /// that is on disk on return. `fs` must outlive the log. Throws `storage_error` when the log is damaged, and
  /// `reading_stopped` when a stop is requested.
  static std::unique_ptr<wal> open(file_system& fs, std::filesystem::path directory, const wal_options& options,
                                   raft::recovered& out, const std::stop_token& stop = {});

  void apply(const raft::write& change) override;
  void sync() override;
  /// Also returns entries that are not synced yet. The data of entries that were written together shares one block.
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override;

  /// Removes the oldest segments whose entries are all synced and not above `up_to`, or were dropped by a reset.
  /// Removing a large file takes time, so each call, and each `has_room`, removes only a few. After a temporary error
  /// the next call continues.
  void compact(raft::index_t up_to) override;
  /// True if the next segment is preallocated (`wal_spare`), so that there is room for the entries of a whole segment.
  /// After a temporary error, returns the previous result.
  bool has_room() override;

 private:
  wal(file_system& fs, std::filesystem::path directory, const wal_options& options, wal_spare spare, wal_state state);

  /// Runs a change of the log. If it throws, unless for a temporary reason, the log accepts no more changes.
  template <typename Change> void guarded(Change&& change);
  bool fits_batch() const;
  void roll();
  void drop_some();
  bool droppable(const wal_segment& next, raft::index_t up_to) const;
  void move_start();
  void write_batch();
  std::size_t count_readable(raft::index_t first, raft::index_t last, std::size_t max_bytes) const;
  /// Reads `count` entries from `first` on, whose records are adjacent.
  void read_run(raft::index_t first, std::size_t count, std::vector<raft::entry>& into);
  std::string read_block(const wal_location& from, std::size_t size);

  file_system& fs_;
  std::filesystem::path directory_;
  wal_options options_;
  wal_spare spare_;
  wal_state state_;
  bool failed_ = false;

  // Records that are applied but not synced; they have no checksums yet. Their entries, the last ones of
  // state_.locations, have locations in `batch_` and the segment number `unwritten`.
  std::string batch_;
  bool batch_has_entries_ = false;
  bool batch_has_commands_ = false;
  bool batch_has_reset_ = false;
  log_point synced_; // state_ as of the last sync
  raft::index_t compact_to_ = 0;
  std::uint64_t zeroed_ = 0; // end of the current segment's blocks that have been written once

  std::unique_ptr<directory> names_; // null until the first segment is removed
  std::unique_ptr<file> older_;      // the older segment that was read last
  std::uint32_t older_segment_ = 0;
};

} // namespace troupe

// The directory of a node's snapshots: finished files with their names, and unfinished files.
#pragma once

#include "raft/snapshot.hpp"
#include "runtime/storage/file_system.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Thread-safe. Every function throws `file_error`.
class snapshot_folder {
 public:
  /// Creates the directory. `fs` must outlive the folder.
  snapshot_folder(file_system& fs, std::filesystem::path directory);

  /// The finished snapshots, newest first.
  std::vector<raft::snapshot_id> list();
  std::filesystem::path path_of(const raft::snapshot_id& id) const;
  /// Removes all but the newest `kept` snapshots, oldest first, and unfinished files that no object of this process is
  /// writing. Returns the snapshots that are left, newest first.
  std::vector<raft::snapshot_id> prune(std::size_t kept);
  void remove(const raft::snapshot_id& id);
  /// Quarantines a snapshot that cannot be read: renames it, so that it is no longer listed. Returns a message about
  /// that for an operator. Keeps only the newest of the snapshots that were quarantined before.
  std::string quarantine(const raft::snapshot_id& id);

  file_system& files() const noexcept { return fs_; }

 private:
  friend class unfinished_snapshot;
  void drop_quarantined(std::size_t kept);

  file_system& fs_;
  std::filesystem::path directory_;
  std::mutex mutex_;                 // held while names change
  std::set<std::string> unfinished_; // names that belong to an existing object
};

/// A snapshot under a temporary name. The destructor removes it unless it was finished. Not thread-safe.
class unfinished_snapshot {
 public:
  explicit unfinished_snapshot(std::shared_ptr<snapshot_folder> folder);
  unfinished_snapshot(const unfinished_snapshot&) = delete;
  unfinished_snapshot& operator=(const unfinished_snapshot&) = delete;
  ~unfinished_snapshot();

  /// Appends. It also syncs from time to time, so that a large file never has many dirty pages, which would delay the
  /// log's syncs on the same disk.
  void write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Returns when content and name are on disk. If it throws, the snapshot has no final name, unless the disk fails
  /// twice. It may be called again after a temporary error.
  void finish(const raft::snapshot_id& id);

 private:
  void forget();

  std::shared_ptr<snapshot_folder> folder_;
  std::filesystem::path path_;
  std::unique_ptr<file> out_;
  std::uint64_t size_ = 0;
  std::uint64_t synced_ = 0;
};

} // namespace troupe

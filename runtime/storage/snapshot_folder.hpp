// The directory of a node's snapshots: their names, and files that are not finished yet.
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
  /// Makes the directory. `fs` must outlive the folder.
  snapshot_folder(file_system& fs, std::filesystem::path directory);

  /// The finished snapshots, newest first.
  std::vector<raft::snapshot_id> list();
  std::filesystem::path path_of(const raft::snapshot_id& id) const;
  /// Removes all but the newest `kept`, oldest first, and unfinished files that no object of this process is writing.
  std::vector<raft::snapshot_id> prune(std::size_t kept);
  void remove(const raft::snapshot_id& id);
  /// Renames a snapshot that cannot be read, so that it counts for nothing; says so for an operator. Of those that were
  /// renamed before, the newest stays and the others go.
  std::string set_aside(const raft::snapshot_id& id);

  file_system& files() const noexcept { return fs_; }

 private:
  friend class unfinished_snapshot;
  void drop_set_aside(std::size_t kept);

  file_system& fs_;
  std::filesystem::path directory_;
  std::mutex mutex_;                 // held while names change
  std::set<std::string> unfinished_; // names that belong to a living object
};

/// A snapshot under a temporary name, which goes with the object unless it was finished. One thread at a time.
class unfinished_snapshot {
 public:
  explicit unfinished_snapshot(std::shared_ptr<snapshot_folder> folder);
  unfinished_snapshot(const unfinished_snapshot&) = delete;
  unfinished_snapshot& operator=(const unfinished_snapshot&) = delete;
  ~unfinished_snapshot();

  /// Appends. Now and then it also syncs: a large file is then never a large amount of dirty pages, which would make
  /// the log's syncs on the same disk wait.
  void write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  /// Returns when content and name are on disk. When it throws, the name does not stand for the snapshot, unless the
  /// disk fails twice. After a temporary error it may be called again.
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

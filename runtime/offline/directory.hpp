// A node's data directory while the node is stopped: what an operator's tool may read and change.
#pragma once

#include "runtime/storage/damage.hpp"
#include "runtime/storage/file_system.hpp"
#include "runtime/storage/identity.hpp"
#include "runtime/storage/overlay_file_system.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "runtime/storage/wal.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::offline {

/// The requested operation is impossible or not allowed; nothing has changed.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Several tools may read a directory at the same time, and `read_only` needs no write permission.
enum class access { read_only, change };

/// Holds the directory's lock. Reads only the identity, and changes nothing itself.
class directory {
 public:
  /// Throws `usage_error` if `path` is not a data directory or a process has it open. `fs` must outlive the object.
  directory(file_system& fs, std::filesystem::path path, access how);

  file_system& files() const noexcept { return fs_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path log_path() const { return path_ / "log"; }
  std::filesystem::path snapshots_path() const { return path_ / "snapshots"; }
  std::filesystem::path staged_path() const { return path_ / "staged"; }
  std::filesystem::path identity_path() const { return path_ / "identity"; }
  /// Empty if the identity file is missing or damaged.
  const std::optional<identity>& stored_identity() const noexcept { return identity_; }
  /// What is wrong with the identity; empty if it is valid.
  const std::string& identity_problem() const noexcept { return problem_; }
  /// Why the lock is not held: there is no lock file, and the directory is not writable. Empty if it is held.
  const std::string& lock_problem() const noexcept { return lock_problem_; }
  bool has_log() const;
  /// Set if this is a member's directory whose log, with its votes and entries, is missing.
  std::optional<std::string> missing_log() const;

 private:
  file_system& fs_;
  std::filesystem::path path_;
  std::unique_ptr<file_lock> lock_;
  std::string lock_problem_;
  std::optional<identity> identity_;
  std::string problem_;
};

/// Options for opening this log that keep the size of its segments.
wal_options options_for(const directory& of);

/// Called with the number of bytes of each read.
using progress = std::function<void(std::size_t)>;

/// What opening a log would find.
struct log_examination {
  std::vector<wal_segment> segments;
  raft::recovered found;
  std::uint64_t bytes = 0;            ///< total size of all segment files
  std::optional<std::string> problem; ///< the damage; `segments` and `found` then describe what precedes it
  std::filesystem::path damaged_file;
  std::uint64_t damaged_at = 0;
};
/// Examines the log without changing it. Throws `storage_error` for errors other than damage.
log_examination examine_log(const directory& of, const progress& read = {});

/// Opens the log on an overlay for reading entries: all of it, or the part before `damage`. Null if there is no such
/// part.
std::unique_ptr<wal> open_read_only(const directory& of, overlay_file_system& seen, raft::recovered& found,
                                    std::optional<damage_error>& damage);

/// The content of a snapshot file, or why it cannot be read.
struct snapshot_examination {
  raft::snapshot_id id; ///< according to the file name
  std::string name;
  std::optional<snapshot_format::header> head;
  std::string problem;
  bool damaged = false; ///< whether the problem is damage
};
/// Examines all snapshots, newest first. With `whole`, reads each to the end, otherwise only the headers.
std::vector<snapshot_examination> examine_snapshots(const directory& of, bool whole, const progress& read = {});

} // namespace troupe::offline

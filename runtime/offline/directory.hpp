// A node's data directory while no node runs: what an operator's tool may read and change.
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

/// The tool was asked for what it cannot or must not do; nothing has changed.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Those who look share a directory, which they need not be able to write.
enum class access { look, change };

/// Holds the directory's lock. Reads no more than the identity, and changes nothing by itself.
class directory {
 public:
  /// Throws `usage_error` when there is no data directory or a process has it open. `fs` must outlive the object.
  directory(file_system& fs, std::filesystem::path path, access how);

  file_system& files() const noexcept { return fs_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path log_path() const { return path_ / "log"; }
  std::filesystem::path snapshots_path() const { return path_ / "snapshots"; }
  std::filesystem::path staged_path() const { return path_ / "staged"; }
  std::filesystem::path identity_path() const { return path_ / "identity"; }
  /// Nothing when it is missing or damaged.
  const std::optional<identity>& who() const noexcept { return identity_; }
  /// What is wrong with the identity; empty if nothing is.
  const std::string& identity_problem() const noexcept { return problem_; }
  /// Why there is no lock: the directory has none and cannot be written. Empty if there is one.
  const std::string& unlocked() const noexcept { return unlocked_; }
  bool has_log() const;
  /// That this is a member's directory, whose log held what it voted for and stored, and that log is not there.
  std::optional<std::string> log_gone() const;

 private:
  file_system& fs_;
  std::filesystem::path path_;
  std::unique_ptr<file_lock> lock_;
  std::string unlocked_;
  std::optional<identity> identity_;
  std::string problem_;
};

/// Options to open this log with: its segments stay as large as they are.
wal_options options_for(const directory& of);

/// Hears of the bytes that were read.
using progress = std::function<void(std::size_t)>;

/// What opening a log would find, without changing it. Throws `storage_error` for what is no damage.
struct log_examination {
  std::vector<wal_segment> segments;
  raft::recovered found;
  std::uint64_t bytes = 0;            ///< of all segment files
  std::optional<std::string> problem; ///< the damage; `segments` and `found` then tell what is before it
  std::filesystem::path damaged_file;
  std::uint64_t damaged_at = 0;
};
log_examination examine_log(const directory& of, const progress& read = {});

/// The log on an overlay, to read entries from: all of it, or what is before `damage`. Null when nothing is.
std::unique_ptr<wal> open_to_look(const directory& of, overlay_file_system& seen, raft::recovered& found,
                                  std::optional<damage_error>& damage);

/// What a snapshot file holds, or why it cannot be read.
struct snapshot_examination {
  raft::snapshot_id id; ///< by its name
  std::string name;
  std::optional<snapshot_format::header> head;
  std::string problem;
  bool damaged = false; ///< and that is the problem
};
/// Newest first; `whole` reads each to its end, otherwise only heads are looked at.
std::vector<snapshot_examination> examine_snapshots(const directory& of, bool whole, const progress& read = {});

} // namespace troupe::offline

// A node's data directory while no node runs: what an operator's tool may read and change.
#pragma once

#include "runtime/storage/file_system.hpp"
#include "runtime/storage/identity.hpp"
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

/// Holds the directory's lock. Reads no more than the identity, and changes nothing by itself.
class directory {
 public:
  /// Throws `usage_error` when there is no data directory or a process has it open. `fs` must outlive the object.
  directory(file_system& fs, std::filesystem::path path);

  file_system& files() const noexcept { return fs_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path log_path() const { return path_ / "log"; }
  std::filesystem::path snapshots_path() const { return path_ / "snapshots"; }
  std::filesystem::path identity_path() const { return path_ / "identity"; }
  /// Nothing when it is missing or damaged.
  const std::optional<identity>& who() const noexcept { return identity_; }
  /// What is wrong with the identity; empty if nothing is.
  const std::string& identity_problem() const noexcept { return problem_; }
  bool has_log() const;
  /// A member's directory, whose log holds what it voted for and stored.
  bool needs_log() const;

 private:
  file_system& fs_;
  std::filesystem::path path_;
  std::unique_ptr<file_lock> lock_;
  std::optional<identity> identity_;
  std::string problem_;
};

/// Options to open this log with: its segments stay as large as they are.
wal_options options_for(const directory& of);

/// Hears of the bytes that were read.
using progress = std::function<void(std::size_t)>;

/// What opening a log would find, without changing it.
struct log_examination {
  std::vector<wal_segment> segments;
  raft::recovered found;
  std::uint64_t bytes = 0;            ///< of all segment files
  std::optional<std::string> problem; ///< why the log cannot be opened; only `bytes` is set then
  std::filesystem::path damaged_file; ///< where it is damaged, if that is the problem
  std::uint64_t damaged_at = 0;
};
log_examination examine_log(const directory& of, const progress& read = {});

/// What a snapshot file holds, or why it cannot be read.
struct snapshot_examination {
  raft::snapshot_id id; ///< by its name
  std::string name;
  raft::cluster_id cluster;
  std::string problem;
};
/// Newest first; `whole` reads each to its end, otherwise only names are looked at.
std::vector<snapshot_examination> examine_snapshots(const directory& of, bool whole, const progress& read = {});

} // namespace troupe::offline

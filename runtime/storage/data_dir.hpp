// A node's data directory: locked, and the keeper of who the node is.
#pragma once

#include "runtime/storage/file_system.hpp"
#include "runtime/storage/identity.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Holds the directory's lock as long as it lives. Every change is on disk when the function that makes it returns. All
/// of them throw `storage_error`; the object then shows the old value, and the disk has the old or the new one. One
/// thread at a time.
class data_dir {
 public:
  /// Opens `directory`, which is made, with a new node id, if it does not exist. Throws `storage_error` when another
  /// process has it open, when the identity file is damaged, and when it is missing beside a log: an id is never drawn
  /// anew for a log that exists. `fs` must outlive the object.
  data_dir(file_system& fs, std::filesystem::path directory);

  /// Never 0.
  raft::node_id id() const noexcept { return identity_.id; }
  /// 0 until `set_cluster`.
  raft::cluster_id cluster() const noexcept { return identity_.cluster; }
  /// Another number each time the directory is opened: the start counter in the upper 32 bits, random bits below. Two
  /// copies of one directory hence show as different incarnations, and a later start as a greater one.
  std::uint64_t incarnation() const noexcept { return incarnation_; }
  /// What `set_promise` stored last.
  const std::optional<std::string>& promise() const noexcept { return identity_.promise; }

  /// The checksum of the backup that the cluster began with, 0 for none.
  std::uint64_t restored() const noexcept { return identity_.restored; }

  /// Makes the directory that cluster's. Throws when it belongs to another one already.
  void set_cluster(raft::cluster_id cluster, std::uint64_t restored = 0);
  void set_promise(std::optional<std::string> promise);

  const std::filesystem::path& path() const noexcept { return directory_; }
  /// Where the log's segments are.
  std::filesystem::path log_path() const { return directory_ / "log"; }
  std::filesystem::path snapshots_path() const { return directory_ / "snapshots"; }
  /// Where backups wait for being restored.
  std::filesystem::path staged_path() const { return directory_ / "staged"; }

 private:
  std::filesystem::path identity_path() const { return directory_ / "identity"; }
  /// A little room that is given up when the disk is full, so that a node can start all the same.
  std::filesystem::path reserve_path() const { return directory_ / "reserve"; }
  void keep_reserve();
  identity load_or_draw();
  void store(identity next);

  file_system& fs_;
  std::filesystem::path directory_;
  std::unique_ptr<file_lock> lock_;
  identity identity_;
  std::uint64_t incarnation_ = 0;
};

} // namespace troupe

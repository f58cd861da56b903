// A node's data directory: its lock and the node's identity.
#pragma once

#include "runtime/storage/file_system.hpp"
#include "runtime/storage/identity.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// Holds the directory's lock for its lifetime. Every change is on disk when the function that makes it returns. All of
/// them throw `storage_error`; the object then keeps the old value, and the disk has the old or the new one. Not
/// thread-safe.
class data_dir {
 public:
  /// Opens `directory`. If it does not exist, it is created with a new node id. Throws `storage_error` when another
  /// process has it open, when the identity file is damaged, and when the identity file is missing although there is a
  /// log: an existing log never gets a new id. `fs` must outlive the object.
  data_dir(file_system& fs, std::filesystem::path directory);

  /// Never 0.
  raft::node_id id() const noexcept { return identity_.id; }
  /// 0 until `set_cluster`.
  raft::cluster_id cluster() const noexcept { return identity_.cluster; }
  /// Unique for each opening of the directory: the start counter in the upper 32 bits, random bits below. Two copies of
  /// one directory therefore have different incarnations, and a later start has a greater one.
  std::uint64_t incarnation() const noexcept { return incarnation_; }
  /// The value that `set_promise` stored last.
  const std::optional<std::string>& promise() const noexcept { return identity_.promise; }

  /// Checksum of the backup that the cluster started from, 0 if there was none.
  std::uint64_t restored() const noexcept { return identity_.restored; }

  /// Assigns the directory to that cluster. Throws if it already belongs to another one.
  void set_cluster(raft::cluster_id cluster, std::uint64_t restored = 0);
  void set_promise(std::optional<std::string> promise);

  const std::filesystem::path& path() const noexcept { return directory_; }
  /// The directory of the log's segments.
  std::filesystem::path log_path() const { return directory_ / "log"; }
  std::filesystem::path snapshots_path() const { return directory_ / "snapshots"; }
  /// The directory of backups that are waiting to be restored.
  std::filesystem::path staged_path() const { return directory_ / "staged"; }

 private:
  std::filesystem::path identity_path() const { return directory_ / "identity"; }
  /// A small file that is removed when the disk is full, so that a node can still start.
  std::filesystem::path reserve_path() const { return directory_ / "reserve"; }
  void keep_reserve();
  identity load_or_create();
  void store(identity next);

  file_system& fs_;
  std::filesystem::path directory_;
  std::unique_ptr<file_lock> lock_;
  identity identity_;
  std::uint64_t incarnation_ = 0;
};

} // namespace troupe

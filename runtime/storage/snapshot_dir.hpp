// A node's snapshots as files in one directory (docs/log-format.md, "Snapshots").
#pragma once

#include "runtime/storage/snapshot_folder.hpp"
#include "services/snapshot_files.hpp"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// Thrown for a snapshot of another cluster, which an unfinished recovery or restore left behind. It is not usable
/// here.
class other_cluster : public raft::storage_error {
 public:
  using raft::storage_error::storage_error;
};

/// All functions block. They may be called from several threads at once. The returned objects may outlive this one but
/// not the file system, and each is used by one thread at a time.
class snapshot_dir final : public snapshot_files {
 public:
  /// Creates `directory` if it does not exist. Snapshots are written as belonging to `cluster`, and those of other
  /// clusters are rejected unless `cluster` is 0. `fs` must outlive the object and all objects that it returns.
  snapshot_dir(file_system& fs, std::filesystem::path directory, raft::cluster_id cluster);
  /// Uses a folder that other objects may use at the same time.
  snapshot_dir(std::shared_ptr<snapshot_folder> folder, raft::cluster_id cluster);

  std::vector<raft::snapshot_id> list() override { return folder_->list(); }
  std::unique_ptr<snapshot_writer> create(const raft::snapshot_point& at) override;
  std::unique_ptr<snapshot_bytes> open(const raft::snapshot_id& id) override;
  std::unique_ptr<snapshot_receiver> receive(const raft::snapshot_id& id) override;
  raft::snapshot_point load(const raft::snapshot_id& id, const snapshot_section& each) override;
  std::vector<raft::snapshot_id> prune(std::size_t kept) override { return folder_->prune(kept); }
  void remove(const raft::snapshot_id& id) override { folder_->remove(id); }
  std::string quarantine(const raft::snapshot_id& id) override { return folder_->quarantine(id); }

 private:
  std::shared_ptr<snapshot_folder> folder_;
  raft::cluster_id cluster_;
};

/// Creates a snapshot in `to` from any snapshot file. It copies the services' bytes; position, members and (given by
/// `to`) cluster are new. Checks the whole file. Throws `storage_error`, and `reading_stopped` when a stop is
/// requested; `to` then has no new snapshot.
raft::snapshot_id copy_snapshot(file_system& fs, const std::filesystem::path& from, snapshot_files& to,
                                const raft::snapshot_point& at, const std::stop_token& stop = {});

} // namespace troupe

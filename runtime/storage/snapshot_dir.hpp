// The snapshots of a node as files in one directory (docs/log-format.md, "Snapshots").
#pragma once

#include "runtime/storage/snapshot_folder.hpp"
#include "services/snapshot_files.hpp"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// A snapshot of another cluster, left by a recovery or a restore that did not end: it stands for nothing here.
class other_cluster : public raft::storage_error {
 public:
  using raft::storage_error::storage_error;
};

/// Blocking. Functions may be called on several threads at once; the objects they return may outlive this one, not the
/// file system, and each is used by one thread at a time.
class snapshot_dir final : public snapshot_files {
 public:
  /// Makes `directory` if it does not exist. What is written says that it belongs to `cluster`, and what belongs to
  /// another one is refused; not so where `cluster` is 0. `fs` must outlive the object and all that it returns.
  snapshot_dir(file_system& fs, std::filesystem::path directory, raft::cluster_id cluster);
  /// In a folder that others may use at the same time.
  snapshot_dir(std::shared_ptr<snapshot_folder> folder, raft::cluster_id cluster);

  std::vector<raft::snapshot_id> list() override { return folder_->list(); }
  std::unique_ptr<snapshot_writer> create(const raft::snapshot_point& at) override;
  std::unique_ptr<snapshot_bytes> open(const raft::snapshot_id& id) override;
  std::unique_ptr<snapshot_receiver> receive(const raft::snapshot_id& id) override;
  raft::snapshot_point load(const raft::snapshot_id& id, const snapshot_section& each) override;
  std::vector<raft::snapshot_id> prune(std::size_t kept) override { return folder_->prune(kept); }
  void remove(const raft::snapshot_id& id) override { folder_->remove(id); }
  std::string set_aside(const raft::snapshot_id& id) override { return folder_->set_aside(id); }

 private:
  std::shared_ptr<snapshot_folder> folder_;
  raft::cluster_id cluster_;
};

/// Makes a snapshot for `to` out of any snapshot file: the services' bytes are copied, the place, the members and (by
/// `to`) the cluster are new. Checks all of the file first to last; throws `storage_error`, `reading_stopped` when a
/// stop is requested, and then made nothing.
raft::snapshot_id copy_snapshot(file_system& fs, const std::filesystem::path& from, snapshot_files& to,
                                const raft::snapshot_point& at, const std::stop_token& stop = {});

} // namespace troupe

// All data of a node on disk, and how the replica opens it at every start.
#pragma once

#include "actors/replica/log_opener.hpp"
#include "runtime/storage/data_dir.hpp"
#include "runtime/storage/snapshot_folder.hpp"
#include "runtime/storage/wal.hpp"

#include <filesystem>
#include <memory>

namespace troupe {

/// Lives as long as any actor of the node uses it.
struct node_disk {
  /// Throws `storage_error`, as data_dir does.
  node_disk(std::shared_ptr<file_system> on, const std::filesystem::path& path)
      : files(std::move(on)), directory(*files, path),
        snapshots(std::make_shared<snapshot_folder>(*files, directory.snapshots_path())),
        staged(std::make_shared<snapshot_folder>(*files, directory.staged_path())) {}

  std::shared_ptr<file_system> files;
  data_dir directory;
  /// Shared by all objects that are opened for them, one after the other: each knows which files are being written.
  std::shared_ptr<snapshot_folder> snapshots;
  std::shared_ptr<snapshot_folder> staged;
};

/// Returns a function that opens the log, the snapshots and the services at every start of the replica. If the
/// membership decision names a backup, it first makes `backup` the node's initial state. The function throws
/// `storage_error`, also if a member's log is missing.
storage_factory open_disk(std::shared_ptr<node_disk> on, const wal_options& options, std::filesystem::path backup);

} // namespace troupe

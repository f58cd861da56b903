// Everything of a node that is on disk, and how its core finds it at every start.
#pragma once

#include "actors/replica/log_opener.hpp"
#include "runtime/storage/data_dir.hpp"
#include "runtime/storage/snapshot_folder.hpp"
#include "runtime/storage/wal.hpp"

#include <filesystem>
#include <memory>

namespace troupe {

/// Alive as long as anything of the node is.
struct node_disk {
  /// Throws `storage_error`, as data_dir does.
  node_disk(std::shared_ptr<file_system> on, const std::filesystem::path& path)
      : files(std::move(on)), directory(*files, path),
        snapshots(std::make_shared<snapshot_folder>(*files, directory.snapshots_path())),
        staged(std::make_shared<snapshot_folder>(*files, directory.staged_path())) {}

  std::shared_ptr<file_system> files;
  data_dir directory;
  /// One of each for all that is opened in turn: they know what is being written.
  std::shared_ptr<snapshot_folder> snapshots;
  std::shared_ptr<snapshot_folder> staged;
};

/// Opens log, snapshots and services, again at every start of the core; where the decision says so, after `backup` was
/// made the node's first state. Throws `storage_error`, also when a member's log is gone.
storage_factory open_disk(std::shared_ptr<node_disk> on, const wal_options& options, std::filesystem::path backup);

} // namespace troupe

// Opens a node's persistent state: its log, and the snapshots that replace the beginning of the log.
#pragma once

#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/wal.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

namespace troupe {

/// Restores the services to the state in this snapshot (with `snapshot_files::load`). After it has thrown
/// `damage_error`, `file_error` or `other_cluster`, it may be called again with an older snapshot, and must then start
/// from scratch. Other exceptions are passed on.
using load_snapshot = std::function<raft::snapshot_point(const raft::snapshot_id&)>;

/// Opens the log and loads the newest readable snapshot. On return everything that `out` describes is on disk, and the
/// caller must apply the entries after `out.snapshot` again, as far as they are committed.
///
/// If a snapshot cannot be read, a note is added to `out.notes`, the snapshot is quarantined if it is damaged, and the
/// previous one is tried, as long as the log reaches back to it. If `load` rejects an undamaged snapshot of this
/// cluster, the error is passed on, because a node that continued without that state would lose it. If the log does not
/// reach a snapshot (the snapshot came from another node, and the log had not caught up when the process stopped), the
/// log is reset to the snapshot's position. If no snapshot is left to replace the beginning of the log,
/// `out.state_lost` is set; every call of `load`, if there was one, has then failed.
///
/// `fs` must outlive the log. Throws `storage_error` when the log is damaged or the disk fails. Temporary errors are
/// passed on as they are, also those of a snapshot; the caller may then retry everything. It may also retry after
/// `reading_stopped`, which the log throws when a stop is requested (`load` has to check for a stop itself).
std::unique_ptr<wal> open_state(file_system& fs, std::filesystem::path log_directory, const wal_options& options,
                                snapshot_dir& snapshots, const load_snapshot& load, raft::recovered& out,
                                const std::stop_token& stop = {});

} // namespace troupe

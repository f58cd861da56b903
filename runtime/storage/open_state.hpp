// Opens what a node keeps: its log together with the snapshots that stand for the log's beginning.
#pragma once

#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/wal.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

namespace troupe {

/// Brings the services to the state in this snapshot (with `snapshot_files::load`). When it throws `damage_error`,
/// `file_error` or `other_cluster` it may be called again with an older snapshot, and must then begin afresh; others
/// are passed on.
using load_snapshot = std::function<raft::snapshot_point(const raft::snapshot_id&)>;

/// Opens the log and loads the newest snapshot that can be read. On return all that `out` tells is on disk, and the
/// entries behind `out.snapshot` are to be applied again, as far as they are committed.
///
/// A snapshot that cannot be read is told in `out.notes`, and set aside when it is damaged; then the one before is
/// tried, as long as the log reaches back to it. Not so one that is whole and of this cluster, and that `load` does not
/// take: the error is passed on, as a node that goes on without that state loses it. One that the log does not lead to
/// (it came from another node, and the log had not followed when the process stopped) resets the log to its place.
/// Where no snapshot is left to stand for the beginning of the log, `out.state_lost` is set; `load` was then called in
/// vain or not at all.
///
/// `fs` must outlive the log. Throws `storage_error` when the log is damaged or the disk fails, and a temporary one as
/// it comes, from a snapshot too: all of this may be done again. So it may after `reading_stopped`, which the log
/// throws when a stop is requested (`load` looks for that itself).
std::unique_ptr<wal> open_state(file_system& fs, std::filesystem::path log_directory, const wal_options& options,
                                snapshot_dir& snapshots, const load_snapshot& load, raft::recovered& out,
                                const std::stop_token& stop = {});

} // namespace troupe

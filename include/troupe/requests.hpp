// What one can ask a node, and what it answers: the messages of `node_handle`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <troupe/detail/caf.hpp>
#include <troupe/errors.hpp>
#include <troupe/events.hpp>
#include <troupe/status.hpp>
#include <troupe/types.hpp>
#include <vector>

namespace troupe {

/// Answered with a node_status.
struct get_status {};

/// Stops the node: it answers what is in flight, transfers its leadership, then ends. With `leave`, it leaves the
/// cluster first; a second stop_node without `leave` skips that.
struct stop_node {
  bool leave = false;
};

/// Takes a snapshot of everything that is applied, unless the newest one holds that. Answered when it is on disk.
struct take_snapshot {};
struct snapshot_result {
  snapshot_id id;
};

/// Writes the whole state to a file: it holds every write that was acknowledged before, and other requests go on.
struct make_backup {
  /// The time to hear from the leader, and to apply what it has committed.
  std::chrono::milliseconds timeout{5000};
  /// The time to write the file after that. Make the timeout of the request a little longer than both together: a
  /// backup whose answer is not used stays open for a minute, and counts as one of the eight that a node keeps open;
  /// one more is rejected as overloaded.
  std::chrono::milliseconds write_timeout{300'000};
};
/// The backup is on this node's disk, and open for reading by its `download` number, whatever snapshots are taken
/// meanwhile. It is closed by close_backup, when nothing is read for a minute, or when the node's replica restarts.
struct backup_made {
  cluster_id cluster;
  snapshot_id snapshot;
  std::uint64_t download = 0;
};
/// Reads a part of an open backup: ask with a growing offset until a chunk is empty, then send close_backup. Rejected
/// as overloaded while descriptors or memory are short: ask again a little later. Refused when the backup is not open.
struct read_backup {
  std::uint64_t download = 0;
  std::uint64_t offset = 0;
  /// At least 1. The answer has at most 4 MiB.
  std::size_t max_bytes = std::size_t{1} << 20;
};
struct backup_chunk {
  /// Empty at the end of the backup.
  std::string data;
};
struct close_backup {
  std::uint64_t download = 0;
};

/// Uploads a part of a backup that is to be restored. The node keeps what it has for ten minutes. Without data it asks
/// how much the node has.
struct stage_backup {
  snapshot_id backup;
  std::uint64_t offset = 0;
  std::string data;
};
struct backup_staged {
  /// Everything before this offset is staged. If it is the size of the backup, the backup is complete, checked and on
  /// disk.
  std::uint64_t next = 0;
};
/// Restores a backup that was staged on this node: afterwards every service of the cluster has its state, with its
/// revisions. Everything else of the cluster stays as it is.
struct make_restore {
  snapshot_id backup;
  /// The time for a majority of the nodes to get the backup. Loading it takes as long as the services need.
  std::chrono::milliseconds timeout{300'000};
};
struct restore_made {
  /// The index of the log entry.
  index_t index = 0;
};

/// Asks the leader, wherever it is, for other members, in one step. Answered when the new configuration is committed.
/// A node that is added joins as a learner, and becomes a voter when it has caught up.
struct change_membership {
  std::vector<addition> add = {};
  std::vector<node_id> remove = {};
  /// The index of the configuration that the change is meant for; 0: whichever is the newest.
  index_t based_on = 0;
  std::chrono::milliseconds timeout{5000};
};
struct membership_changed {
  /// The index of the new configuration.
  index_t index = 0;
};

/// Asks the leader to transfer its leadership to `to`, or (no id) to the most suitable voter. Answered when it no
/// longer leads.
struct move_leadership {
  node_id to;
  std::chrono::milliseconds timeout{5000};
};
struct leadership_moved {
  node_id to;
};

/// Sends every cluster_event from now on to the watcher until it ends, starting with this node's role and the leader
/// that it knows.
struct watch_events {
  event_watcher watcher;
};

/// The handle of a node. Until the node is running (node_status::phase), it answers get_status, watch_events and
/// stop_node, and rejects other requests at once as not_ready: ask again. Any actor, a caf::scoped_actor too, may send
/// it these messages; errors are those of errors.hpp. Monitor it to learn when the node ends, and why.
using node_handle = compat::handle<node_status(get_status), snapshot_result(take_snapshot), backup_made(make_backup),
                                   backup_chunk(read_backup), void(close_backup), backup_staged(stage_backup),
                                   restore_made(make_restore), membership_changed(change_membership),
                                   leadership_moved(move_leadership), void(watch_events), void(stop_node)>;

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::node_status);
TROUPE_LIBRARY_MESSAGE(troupe::get_status);
TROUPE_LIBRARY_MESSAGE(troupe::stop_node);
TROUPE_LIBRARY_MESSAGE(troupe::take_snapshot);
TROUPE_LIBRARY_MESSAGE(troupe::snapshot_result);
TROUPE_LIBRARY_MESSAGE(troupe::make_backup);
TROUPE_LIBRARY_MESSAGE(troupe::backup_made);
TROUPE_LIBRARY_MESSAGE(troupe::read_backup);
TROUPE_LIBRARY_MESSAGE(troupe::backup_chunk);
TROUPE_LIBRARY_MESSAGE(troupe::close_backup);
TROUPE_LIBRARY_MESSAGE(troupe::stage_backup);
TROUPE_LIBRARY_MESSAGE(troupe::backup_staged);
TROUPE_LIBRARY_MESSAGE(troupe::change_membership);
TROUPE_LIBRARY_MESSAGE(troupe::membership_changed);
TROUPE_LIBRARY_MESSAGE(troupe::move_leadership);
TROUPE_LIBRARY_MESSAGE(troupe::leadership_moved);
TROUPE_LIBRARY_MESSAGE(troupe::watch_events);
TROUPE_LIBRARY_MESSAGE(troupe::make_restore);
TROUPE_LIBRARY_MESSAGE(troupe::restore_made);

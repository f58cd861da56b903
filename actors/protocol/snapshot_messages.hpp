// The messages about snapshots, inside one process. interfaces.hpp says which actor receives which message.
#pragma once

#include "raft/events.hpp"
#include "raft/replicator.hpp"
#include "services/machine_set.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <troupe/requests.hpp>
#include <utility>
#include <vector>

namespace troupe {

/// The services' state at one index of the log, ready to replace another state. The actor that uses it moves the
/// machines out. If it is not used, the actor that loaded it frees it.
struct loaded_state {
  raft::snapshot_id id;
  raft::snapshot_point at;
  machine_set machines;
};

// -- dispatcher and services

/// Asks for a view of the state after the commands that were sent to the service before this message, and before those
/// that are sent after it.
struct view_state {
  std::uint64_t number = 0;
};
/// The answer to view_state.
struct state_view {
  std::uint64_t number = 0;
  std::shared_ptr<const detail::machine_view> view;
};
/// To a service: its new state. No other actor holds the machine.
struct replace_state {
  std::shared_ptr<std::unique_ptr<detail::machine>> machine;
};
/// The service's previous state, sent through the dispatcher to the snapshot store, which frees it. To free a large
/// state takes long, and no caller waits for the snapshot store.
struct discarded_state {
  std::shared_ptr<std::unique_ptr<detail::machine>> machine;
};

// -- dispatcher and snapshot store

/// From the dispatcher: the views of all services at one index, to be written to disk.
struct write_snapshot {
  raft::snapshot_point at;
  std::vector<std::pair<std::string, std::shared_ptr<const detail::machine_view>>> views;
};
/// The snapshot is on disk, or writing it failed.
struct snapshot_written {
  raft::snapshot_id id;
  /// Why writing failed; empty if it succeeded.
  std::string error;
};
/// A follower needs a snapshot that is newer than those on this node.
struct snapshot_wanted {};
/// This snapshot is damaged and cannot be used any more.
struct snapshot_lost {
  raft::snapshot_id id;
};

// -- replicator and snapshot store

/// A follower could not use this snapshot: check it for damage.
struct check_snapshot {
  raft::snapshot_id id;
};
/// From the job that read the snapshot from end to end. Both texts are empty if the snapshot is undamaged.
struct snapshot_checked {
  raft::snapshot_id id;
  /// What is damaged.
  std::string damage;
  /// Why the check could not be completed.
  std::string problem;
};

// -- backups that are downloaded: snapshots that stay readable even if they are removed meanwhile

/// To the snapshot store: opens this snapshot for one reader. Rejected as overloaded if too many are open.
struct open_backup {
  raft::snapshot_id snapshot;
};
struct backup_opened {
  /// Identifies the open backup in the reader's requests.
  std::uint64_t download = 0;
};

// -- dispatcher and staging store

/// From the dispatcher, which has reached the entry `at`: asks for the services' state in a backup that is staged on
/// this node.
struct load_backup {
  raft::snapshot_id backup;
  raft::index_t at = 0;
};
/// The answer to load_backup. Without a state, the backup is not on this node or cannot be read.
struct backup_loaded {
  raft::index_t at = 0;
  std::shared_ptr<loaded_state> state;
};

// -- role and snapshot store

/// From the role: a chunk of the leader's snapshot.
struct store_chunk {
  raft::snapshot_request chunk;
};
/// The result of store_chunk.
struct chunk_stored {
  raft::snapshot_stored what;
  /// The services' state; set when the snapshot is complete.
  std::shared_ptr<loaded_state> state;
};
/// From the role to the dispatcher: continue from this state.
struct adopt_state {
  std::shared_ptr<loaded_state> state;
};
/// From the dispatcher to the proxy: the size of the state, summed over the services that report it.
struct state_size {
  std::uint64_t bytes = 0;
};
/// From the dispatcher to the proxy: a snapshot replaced the entries up to here, so this node does not learn the
/// outcomes of commands among them.
struct snapshot_covered {
  raft::index_t up_to = 0;
};

} // namespace troupe

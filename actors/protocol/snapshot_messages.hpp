// What actors tell each other about snapshots, inside one process. Who takes which is said in interfaces.hpp.
#pragma once

#include "raft/events.hpp"
#include "raft/replicator.hpp"
#include "services/machine_set.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// The services' state at one place of the log, ready to be put in place of another. Whoever uses it empties it; what
/// nobody used goes back to where it was loaded, to be freed there.
struct loaded_state {
  raft::snapshot_id id;
  raft::snapshot_point at;
  machine_set machines;
};

// -- dispatcher and services

/// Asks for a view of the state between what was sent to the service before this and what is sent after it.
struct view_state {
  std::uint64_t number = 0;
};
/// The answer.
struct state_view {
  std::uint64_t number = 0;
  std::shared_ptr<const services::machine_view> view;
};
/// To a service: the state from now on. Nobody else knows the machine.
struct replace_state {
  std::shared_ptr<std::unique_ptr<services::machine>> machine;
};
/// What the service had before, by way of the dispatcher to the snapshot store: to free a large state takes long, and
/// is done where nobody waits.
struct discarded_state {
  std::shared_ptr<std::unique_ptr<services::machine>> machine;
};

// -- dispatcher and snapshot store

/// Takes a snapshot of everything applied so far, unless the newest one holds that; answered when it is on disk.
struct take_snapshot {};
struct snapshot_result {
  raft::snapshot_id id;
};
/// From the dispatcher: the views of all services at one place, to be written.
struct write_snapshot {
  raft::snapshot_point at;
  std::vector<std::pair<std::string, std::shared_ptr<const services::machine_view>>> views;
};
/// The snapshot that was being written is on disk, or why not.
struct snapshot_written {
  raft::snapshot_id id;
  std::string error;
};
/// A follower needs a snapshot that is newer than any here.
struct snapshot_wanted {};
/// This snapshot turned out damaged, and stands for nothing any more.
struct snapshot_lost {
  raft::snapshot_id id;
};

// -- replicator and snapshot store

/// A follower could not use this snapshot: is it whole?
struct doubt_snapshot {
  raft::snapshot_id id;
};
/// From whoever read it from end to end: what is wrong with it, or why that could not be found out; both empty if it is
/// whole.
struct snapshot_checked {
  raft::snapshot_id id;
  std::string damage;
  std::string trouble;
};

// -- backups that are downloaded: snapshots that stay readable whatever is written and removed meanwhile

/// To the snapshot store: opens this snapshot for one reader. Rejected as overloaded when too many are open.
struct open_backup {
  raft::snapshot_id snapshot;
};
struct backup_opened {
  /// The reader's name for it.
  std::uint64_t download = 0;
};
/// Answered with a raft::snapshot_piece, empty at the end. Overloaded while descriptors or memory are short: the reader
/// asks again a little later. A reader that asks for nothing for a minute has given it up; then this is refused.
struct read_backup {
  std::uint64_t download = 0;
  std::uint64_t offset = 0;
  std::size_t max_bytes = 0;
};
struct close_backup {
  std::uint64_t download = 0;
};

// -- dispatcher and staging store

/// From the dispatcher, which is at the entry `at`: the services' state in a backup that was staged here.
struct load_backup {
  raft::snapshot_id backup;
  raft::index_t at = 0;
};
/// The answer. Without a state: the backup is not here, or cannot be read.
struct backup_loaded {
  raft::index_t at = 0;
  std::shared_ptr<loaded_state> state;
};

// -- role and snapshot store

/// From the role: a piece of the leader's snapshot.
struct store_piece {
  raft::snapshot_request piece;
};
/// What became of it; with the services' state once all of it is here.
struct piece_stored {
  raft::snapshot_stored what;
  std::shared_ptr<loaded_state> state;
};
/// From the role to the dispatcher: go on from this state.
struct adopt_state {
  std::shared_ptr<loaded_state> state;
};
/// From the dispatcher to the proxy: how large the state of all services is, as far as they tell, and what may be
/// added.
struct state_size {
  std::uint64_t bytes = 0;
};
/// From the dispatcher to the proxy: a snapshot stands for the entries up to here. What became of commands there,
/// nobody here can say.
struct snapshot_covered {
  raft::index_t up_to = 0;
};

} // namespace troupe

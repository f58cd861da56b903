// Opens the log on its own thread: reading gigabytes must not block an actor that others wait for.
//
//   (spawned detached) -- opens; writes the first configuration to an empty log --> log_opened to the owner --> (gone)
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/replica/backup_use.hpp"
#include "raft/membership/formation.hpp"
#include "raft/storage.hpp"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// The result of opening: the log, the snapshots, and the services with the newest snapshot's state; or an error text.
struct opened_log {
  std::unique_ptr<raft::storage> storage;
  std::shared_ptr<snapshot_files> snapshots;
  /// Staged backups, of any cluster.
  std::shared_ptr<snapshot_files> staged;
  /// The staged backups that the log depends on.
  std::vector<backup_use> uses;
  raft::recovered disk;
  machine_set machines;
  /// The snapshot that the machines were loaded from; empty id if they are in their initial state.
  raft::snapshot_id snapshot;
  std::string error;
  /// The disk is full; opening may succeed later.
  bool no_space = false;
  /// Descriptors, memory or another resource ran out; opening may succeed in a moment.
  bool temporary = false;
};

/// Opens the node's data on disk as a member of the cluster in `as`. If `as` names a backup with which the cluster
/// begins, installs it first. Called on the opener's thread at every start of the replica. Throws
/// `raft::storage_error`, also soon after a stop is requested, since reading everything may take minutes.
using storage_factory = std::function<opened_log(
    const raft::membership_decision& as, const std::vector<machine_factory>& services, const std::stop_token& stop)>;

struct log_opener_setup {
  storage_factory open;
  /// If it names no backup, its initial configuration (if any) is written as the first entry of an empty log.
  raft::membership_decision as;
  std::vector<machine_factory> services;
  std::stop_token stop;
};
struct log_opened {
  std::shared_ptr<opened_log> log;
};
using log_owner_handle = compat::handle<void(log_opened)>;

class log_opener : public compat::untyped_base {
 public:
  log_opener(caf::actor_config& config, log_opener_setup setup, log_owner_handle owner);
  caf::behavior make_behavior() override;
  const char* name() const override { return "log_opener"; }

 private:
  log_opener_setup setup_;
  log_owner_handle owner_;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::log_opened);

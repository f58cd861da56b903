// Opens the log on a thread of its own: reading gigabytes must not hold up an actor that others wait for.
//
//   (spawned detached) -- opens, writes the first configuration if the log is empty --> log_opened to the owner, gone
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

/// What became of opening: log and snapshots, and the services in the state of the newest one; or the error's text.
struct opened_log {
  std::unique_ptr<raft::storage> storage;
  std::shared_ptr<snapshot_files> snapshots;
  /// Backups of any cluster that wait for being restored.
  std::shared_ptr<snapshot_files> staged;
  /// Those of them that the log depends on.
  std::vector<backup_use> uses;
  raft::recovered disk;
  machine_set machines;
  /// What the machines were loaded from; no id if they are in their first state.
  raft::snapshot_id snapshot;
  std::string error;
  /// The disk is full: it may work later.
  bool no_space = false;
  /// Descriptors, memory or the like were lacking: it may work in a moment.
  bool temporary = false;
};

/// Opens what the node has on disk, as a member of this cluster, after it has put the backup there that the cluster
/// begins with, if one is named. Called on the opener's thread, again at every start of the core. Throws
/// `raft::storage_error`, soon after a stop is requested as well: reading all of it may take minutes.
using storage_factory = std::function<opened_log(
    const raft::membership_decision& as, const std::vector<machine_factory>& services, const std::stop_token& stop)>;

struct log_opener_setup {
  storage_factory open;
  /// Without a backup its initial configuration, if there is one, is written as the first entry of an empty log.
  raft::membership_decision as;
  std::vector<machine_factory> services;
  std::stop_token stop;
};
struct log_opened {
  std::shared_ptr<opened_log> log;
};
using log_owner_handle = compat::handle<void(log_opened)>;

class log_opener : public caf::event_based_actor {
 public:
  log_opener(caf::actor_config& config, log_opener_setup setup, log_owner_handle owner);
  caf::behavior make_behavior() override;
  const char* name() const override { return "log_opener"; }

 private:
  log_opener_setup setup_;
  log_owner_handle owner_;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::log_opened);

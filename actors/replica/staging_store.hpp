// Keeps staged backups: those on this node's disk that wait to be restored. Runs on its own thread, since it blocks.
//
//   [idle] -- a chunk of a backup that is not kept here --> [receiving]
//   [receiving] -- a chunk of another backup: refused --> [receiving]
//       |       -- the last chunk: every byte is checked, the services load it --> [idle], one more backup is kept
//       +------ the bytes do not match the announced backup, or no chunk arrived for a minute --> [idle]
//
// A backup gets its final name only after the services have loaded it. If it is found damaged later, it is quarantined
// and forgotten: it can be sent again at once, and this node no longer counts as a holder.
//
// Backups are dropped when this node takes a snapshot. A restored backup is dropped when both kept snapshots cover the
// entry that restored it, and no further restore has asked for it within ten minutes. Any other backup is dropped when
// nothing has asked for it for a day.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/backup_use.hpp"
#include "actors/replica/incoming_snapshot.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

struct staging_store_setup {
  /// Backups of any cluster.
  std::shared_ptr<snapshot_files> files;
  std::vector<machine_factory> services;
  /// The backups that the node's log depends on at the start.
  std::vector<backup_use> uses;
};

class staging_store : public compat::typed_base<staging_handle> {
 public:
  staging_store(caf::actor_config& config, staging_store_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "staging_store"; }
  void on_end() override;

 private:
  /// A complete backup.
  struct backup {
    raft::snapshot_id id;
    /// When it was last sent or asked for since the last entry that restored it: a restore may need it soon.
    std::optional<raft::time_point> wanted;
    /// When all of it was last read without damage; empty: not in this run. The first check loads it into services.
    std::optional<raft::time_point> checked = {};
    /// The newest log entry that restored it; 0 if none is known.
    index_t used_at = 0;

    bool may_be_restored(raft::time_point now, raft::duration within) const { return wanted && now - *wanted < within; }
  };

  void scan();
  chunk_staged take_in(const stage_chunk& chunk);
  /// Returns the next expected offset. Throws a refusal or `storage_error`.
  std::uint64_t stage(const stage_chunk& chunk);
  void make_room();
  void finish();
  bool is_good(const raft::snapshot_id& id);
  void check(backup& whole);
  caf::result<backup_loaded> on_load(const load_backup& question);
  void retry_loads();
  backup_loaded load(const load_backup& question);
  void quarantine(raft::snapshot_id id, const std::string& why);
  raft::snapshot_chunk chunk(const raft::chunk_request& question);
  void on_snapshot(const raft::snapshot_taken& taken);
  void drop(raft::snapshot_id id);
  backup* find(const raft::snapshot_id& id);

  staging_store_setup setup_;
  bool scanned_ = false;
  std::vector<backup> kept_;
  incoming_snapshot incoming_;
  timer_slot timer_;
  /// Loads that wait for a retry after a temporary error.
  std::vector<std::pair<load_backup, caf::typed_response_promise<backup_loaded>>> postponed_;
  /// The backup that was read last, kept open.
  std::unique_ptr<snapshot_bytes> open_;
};

} // namespace troupe

// Backups on this node's disk that wait for being restored. On a thread of its own, as it blocks.
//
//   [idle] -- a piece of a backup that is not here --> [receiving]
//   [receiving] -- another backup's piece: refused --> [receiving]
//       |       -- the last piece: every byte is checked, the services are tried with it --> [idle], one more is kept
//       +------ the bytes are not what was announced, or no piece came for a minute --> [idle]
//
// A backup gets its name only once the services have loaded it. One that turns out damaged later is set aside and
// forgotten: it can be sent again at once, and this node does not count as one that holds it.
//
// A snapshot of this node is the occasion to drop backups: one that was restored when both kept snapshots cover that
// entry, and no further restore has asked for the backup within ten minutes; another one when nothing has asked for it
// for a day.
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
  /// Of any cluster.
  std::shared_ptr<snapshot_files> files;
  std::vector<machine_factory> services;
  /// As the node's log had them at the start.
  std::vector<backup_use> uses;
};

class staging_store : public staging_handle::base {
 public:
  staging_store(caf::actor_config& config, staging_store_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "staging_store"; }
  void on_exit() override;

 private:
  /// A backup that is whole.
  struct backup {
    raft::snapshot_id id;
    /// When it was last sent or asked for since the last entry restored it; a restore may be about to need it again.
    std::optional<raft::time_point> wanted;
    /// When all of it was last read and found good; nothing: not in this run. The first time the services load it.
    std::optional<raft::time_point> checked = {};
    /// The newest entry of the log that restored it; 0: none is known.
    index_t used_at = 0;

    bool may_be_restored(raft::time_point now, raft::duration within) const { return wanted && now - *wanted < within; }
  };

  void look();
  piece_staged take_in(const stage_piece& piece);
  /// Throws what is wrong.
  std::uint64_t stage(const stage_piece& piece);
  void make_room();
  void finish();
  bool is_good(const raft::snapshot_id& id);
  void check(backup& whole);
  caf::result<backup_loaded> on_load(const load_backup& question);
  void load_again();
  backup_loaded load(const load_backup& question);
  void set_aside(raft::snapshot_id id, const std::string& why);
  raft::snapshot_piece piece(const raft::piece_request& question);
  void on_snapshot(const raft::snapshot_taken& taken);
  void drop(raft::snapshot_id id);
  backup* find(const raft::snapshot_id& id);

  staging_store_setup setup_;
  bool looked_ = false;
  std::vector<backup> kept_;
  incoming_snapshot incoming_;
  timer_slot timer_;
  /// Loads that a lack of descriptors or memory puts off.
  std::vector<std::pair<load_backup, caf::typed_response_promise<backup_loaded>>> put_off_;
  /// The one that bytes were asked of last.
  std::unique_ptr<snapshot_bytes> open_;
};

} // namespace troupe

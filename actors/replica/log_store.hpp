// The disk's actor, on a thread of its own: the only one in a node that may block.
//
//   [open] -- store_write: apply, note to self --> [collecting] -- flush: one sync for all --> [open], acks out
//      |
//      +--- the storage throws --> quits with the error: the node takes the core down
//
// What fails for a temporary reason (raft::storage_error::temporary) is tried again a little later: until then writes
// gather, and reads wait.
//
// Whether the disk has room is looked at after every sync, and once a second while it has none; the role hears of
// each change, and of the present state when it attaches.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "raft/storage.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

class log_store : public log_store_handle::base {
 public:
  /// `disk` is what `storage` held when it was opened, all of it durable.
  log_store(caf::actor_config& config, std::unique_ptr<raft::storage> storage, const raft::recovered& disk,
            links_handle links);
  behavior_type make_behavior() override;
  const char* name() const override { return "log_store"; }
  void on_exit() override;

 private:
  void store(const store_write& message);
  void sync();
  bool sync_storage();
  caf::result<log_piece> read(const read_log& question);
  caf::result<log_synced> when_synced();
  void put_off(const raft::storage_error& why);
  void on_time();
  void arm_timer();
  void try_again();
  void follow(const raft::write& change);
  void look_for_room();

  std::unique_ptr<raft::storage> storage_;
  links_handle links_;
  role_handle role_;
  /// The shape of the log with everything applied, for the mark's term.
  raft::log_position start_;
  std::vector<raft::term_run> terms_;
  raft::durable_mark applied_;
  raft::durable_mark durable_;
  std::vector<raft::rpc> waiting_;
  bool dirty_ = false;
  bool collecting_ = false;
  bool has_room_ = true;
  /// The sync, and reads, that failed for a temporary reason.
  bool sync_waits_ = false;
  std::vector<std::pair<read_log, caf::typed_response_promise<log_piece>>> reads_;
  /// Who waits for the next sync.
  std::vector<caf::typed_response_promise<log_synced>> syncs_;
  raft::time_point complained_at_;
  /// When what failed for a temporary reason is tried again, and when the disk is looked at for room.
  std::optional<raft::time_point> try_again_at_;
  std::optional<raft::time_point> look_again_at_;
  timer_slot timer_;
};

} // namespace troupe

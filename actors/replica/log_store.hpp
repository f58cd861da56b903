// Writes and reads the log on its own thread, as it may block on the disk.
//
//   [open] -- store_write: apply, flush to self --> [collecting] -- flush: one sync for all --> [open], acks sent
//      |
//      +--- the storage throws --> quits with the error: the node stops the replica
//
// After a temporary error (raft::storage_error::temporary) it retries a little later. Until then writes accumulate, and
// reads wait.
//
// It checks the disk for room after every sync, and once a second while the disk is full. It notifies the role of each
// change, and of the current state when the role attaches.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "raft/storage.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

class log_store : public compat::typed_base<log_store_handle> {
 public:
  /// `disk` describes what `storage` held when it was opened; all of that is durable.
  log_store(caf::actor_config& config, std::unique_ptr<raft::storage> storage, const raft::recovered& disk,
            links_handle links);
  behavior_type make_behavior() override;
  const char* name() const override { return "log_store"; }
  void on_end() override;

 private:
  void store(const store_write& message);
  void sync();
  bool sync_storage();
  caf::result<log_chunk> read(const read_log& question);
  caf::result<log_synced> when_synced();
  void retry_later(const raft::storage_error& why);
  void on_time();
  void arm_timer();
  void retry();
  void track(const raft::write& change);
  void check_for_room();

  std::unique_ptr<raft::storage> storage_;
  links_handle links_;
  role_handle role_;
  /// The terms of the log's entries with all writes applied, from which the mark's term is taken.
  raft::log_position start_;
  std::vector<raft::term_run> terms_;
  raft::durable_mark applied_;
  raft::durable_mark durable_;
  std::vector<raft::rpc> waiting_;
  bool dirty_ = false;
  bool collecting_ = false;
  bool has_room_ = true;
  /// The sync and the reads that failed with a temporary error.
  bool sync_pending_ = false;
  std::vector<std::pair<read_log, caf::typed_response_promise<log_chunk>>> reads_;
  /// Requests that wait for the next sync.
  std::vector<caf::typed_response_promise<log_synced>> syncs_;
  raft::time_point logged_at_;
  /// When to retry after a temporary error, and when to check the disk for room.
  std::optional<raft::time_point> retry_at_;
  std::optional<raft::time_point> check_room_at_;
  timer_slot timer_;
};

} // namespace troupe

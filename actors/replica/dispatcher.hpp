// Applies committed entries in order: sends each service its commands, and the proxy their outcomes. It also triggers
// snapshots: between two batches it asks every service for a view of its state, and sends the views to the snapshot
// store.
//
//   [following] -- commit_entries with a gap before them --> [fetching] -- log_piece ... no gap left --> [following]
//       |  the services have too much to answer                 ^
//       +-------------------------------------------------------+   (entries that are not accepted are fetched later)
//
//   [following], [fetching] -- an entry that restores a backup --> [restoring]
//   [restoring] -- the backup's state, or a snapshot beyond the entry --> [fetching]
//       (if the backup is missing on this node, the role is notified, and a leader's snapshot is needed)
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/snapshot_schedule.hpp"
#include "raft/lag_clock.hpp"

#include <deque>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// This node's services by name.
using service_table = std::map<std::string, service_handle, std::less<>>;

struct dispatcher_setup {
  service_table services;
  proxy_handle proxy;
  log_store_handle log;
  snapshot_store_handle snapshots;
  staging_handle staging;
  /// The position of the services' state at the start, and the snapshot that it was loaded from. Empty: the services
  /// start before the first entry.
  std::optional<raft::snapshot_point> at;
  raft::snapshot_id loaded;
  /// The services' state is lost: nothing can be applied or read until a snapshot from another node is adopted.
  bool state_lost = false;
  snapshot_policy policy;
  std::uint64_t seed = 0;
  /// Sizes of the services' states at the start, by name; and whether the proxy is notified of every change.
  std::map<std::string, std::uint64_t, std::less<>> state_bytes;
  bool tell_size = false;
};

class dispatcher : public compat::typed_base<dispatcher_handle> {
 public:
  dispatcher(caf::actor_config& config, dispatcher_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "dispatcher"; }
  void on_exit() override;

 private:
  /// Entries that were sent to the services and are not answered by every service yet.
  struct outstanding_batch {
    index_t last = 0;
    std::size_t bytes = 0;
    std::size_t unanswered = 0;
    std::vector<applied_item> items;
    /// A snapshot replaced all entries up to `last`.
    bool covered = false;
  };
  /// A snapshot for which the services' views are being collected.
  struct viewing {
    std::uint64_t number = 0;
    write_snapshot what;
    std::size_t missing = 0;
  };

  void on_commit(const commit_entries& message);
  void accept(const std::vector<raft::entry>& entries);
  void hand_out(std::span<const raft::entry> entries);
  void route(const raft::entry& e, outstanding_batch& current, std::map<service_handle, apply_batch>& batches);
  void collect(applied_batch& answer);
  bool may_hand_out() const;
  void catch_up();
  void on_query(const query_batch& message);
  void serve(index_t at, const std::vector<query>& queries);
  void serve_waiting();
  void resized(const caf::actor_addr& service, std::uint64_t bytes);

  // Restored backups (dispatcher_restore.cpp).
  void restore(const raft::entry& e, const raft::snapshot_id& backup);
  void restored(const backup_loaded& answer);

  // Snapshots (dispatcher_snapshots.cpp).
  void adopt(const adopt_state& message);
  void replace_states(loaded_state& state);
  void discard(loaded_state& state);
  void add_batch(outstanding_batch alone);
  std::string why_no_snapshot() const;
  std::string unfinished_snapshot() const;
  void snapshot_if_due();
  void take_snapshot_now();
  void take_requested_snapshot();
  void collect_view(const state_view& answer);
  void write_when_durable(write_snapshot what);
  void on_written(const snapshot_written& result);
  void on_lost(const raft::snapshot_id& id);
  void answer_snapshot_requests();
  caf::result<snapshot_result> on_take_snapshot();

  service_table services_;
  proxy_handle proxy_;
  log_store_handle log_;
  snapshot_store_handle snapshots_;
  staging_handle staging_;
  role_handle role_;
  /// handed_ <= target_: the last entry sent to its service, and the last one that may be.
  raft::log_position handed_;
  index_t target_ = 0;
  index_t applied_ = 0;
  raft::lag_clock lag_;
  bool fetching_ = false;
  /// The first term that this node led in this run.
  term_t led_from_ = std::numeric_limits<term_t>::max();
  std::deque<outstanding_batch> outstanding_;
  std::size_t outstanding_bytes_ = 0;
  /// For each service the batches that wait for its answer, oldest first; they are numbered from the first one ever.
  std::map<caf::actor_addr, std::deque<std::uint64_t>> expected_;
  std::uint64_t first_outstanding_ = 0;
  /// The size of each service's state, and of all together.
  std::map<caf::actor_addr, std::uint64_t> sizes_;
  std::uint64_t state_bytes_ = 0;
  bool tell_size_ = false;
  /// Reads that wait for an index.
  std::multimap<index_t, std::vector<query>> waiting_;
  std::size_t waiting_queries_ = 0;

  bool state_lost_ = false;
  /// The entry right after handed_, if it replaces the state by a backup's. The backup is being loaded, or it is
  /// missing here and the node waits for another node's snapshot.
  std::optional<raft::log_position> restoring_;
  /// The first service whose commands were skipped because this program does not run it; empty if none was skipped.
  std::string missing_service_;

  /// The newest configuration among the entries up to handed_, and its index.
  index_t members_at_ = 0;
  raft::configuration members_;
  snapshot_schedule schedule_;
  std::optional<viewing> viewing_;
  std::uint64_t last_view_ = 0;
  /// Views wait for the log to be synced, or the snapshot store is writing them.
  bool writing_ = false;
  /// The newest readable snapshot on this node.
  raft::snapshot_id newest_;
  /// The last entry that restored a backup here. Until a snapshot covers it, this node depends on the backup's file.
  index_t restored_at_ = 0;
  std::string snapshot_error_;
  /// After a failure no snapshot is taken before the timer fires.
  bool backing_off_ = false;
  raft::time_point retry_at_;
  /// When the newest snapshot was started, and when the next requested one may start.
  raft::time_point began_at_;
  raft::time_point next_requested_at_;
  timer_slot timer_;
  /// Pending requests for a snapshot, each with the index that the snapshot must reach.
  std::vector<std::pair<index_t, caf::typed_response_promise<snapshot_result>>> snapshot_requests_;
};

} // namespace troupe

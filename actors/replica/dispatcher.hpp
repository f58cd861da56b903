// Applies committed entries in order: to each service its commands, to the proxy what became of them. Has snapshots
// taken: between two batches it asks every service for a view of its state, and hands the views to the snapshot store.
//
//   [following] -- commit_entries with a gap before them --> [fetching] -- log_piece ... no gap left --> [following]
//       |  too much unanswered by services                      ^
//       +------------------------------------------------------+   (what is not taken now is fetched later)
//
//   [following], [fetching] -- an entry that restores a backup --> [restoring] -- its state, or a snapshot that goes
//                                                beyond it --> [fetching]    (tells the role when the state is not
//                                                here)
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

/// The services of this node by name.
using service_table = std::map<std::string, service_handle, std::less<>>;

struct dispatcher_setup {
  service_table services;
  proxy_handle proxy;
  log_store_handle log;
  snapshot_store_handle snapshots;
  staging_handle staging;
  /// What the services' state is at the start, and the snapshot it was loaded from; nothing: the beginning of the log.
  std::optional<raft::snapshot_point> at;
  raft::snapshot_id loaded;
  /// The services' state is lost: nothing can be applied or read before a snapshot of another node is adopted.
  bool state_lost = false;
  snapshot_policy policy;
  std::uint64_t seed = 0;
  /// How large the services' states are at the start, by name; and whether the proxy hears of every change.
  std::map<std::string, std::uint64_t, std::less<>> state_bytes;
  bool tell_size = false;
};

class dispatcher : public dispatcher_handle::base {
 public:
  dispatcher(caf::actor_config& config, dispatcher_setup setup);
  behavior_type make_behavior() override;
  const char* name() const override { return "dispatcher"; }
  void on_exit() override;

 private:
  /// A piece of the log that was handed out and is not answered by every service yet.
  struct round {
    index_t last = 0;
    std::size_t bytes = 0;
    std::size_t unanswered = 0;
    std::vector<applied_item> items;
    /// A snapshot stands for everything up to `last`.
    bool covered = false;
  };
  /// A snapshot that services are asked for their views of.
  struct viewing {
    std::uint64_t number = 0;
    write_snapshot what;
    std::size_t missing = 0;
  };

  void take(const commit_entries& message);
  void take_in(const std::vector<raft::entry>& entries);
  void hand_out(std::span<const raft::entry> entries);
  void route(const raft::entry& e, round& current, std::map<service_handle, apply_batch>& batches);
  void collect(applied_batch& answer);
  bool may_hand_out() const;
  void catch_up();
  void ask(const query_batch& message);
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
  void take_turn(round alone);
  std::string why_no_snapshot() const;
  std::string unfinished_snapshot() const;
  void snapshot_if_due();
  void take_snapshot_now();
  void take_asked_snapshot();
  void gather(const state_view& answer);
  void write_when_durable(write_snapshot what);
  void on_written(const snapshot_written& result);
  void on_lost(const raft::snapshot_id& id);
  void answer_askers();
  caf::result<snapshot_result> on_take_snapshot();

  service_table services_;
  proxy_handle proxy_;
  log_store_handle log_;
  snapshot_store_handle snapshots_;
  staging_handle staging_;
  role_handle role_;
  /// handed_ <= target_: the last entry that went to its service, and the last that may.
  raft::log_position handed_;
  index_t target_ = 0;
  index_t applied_ = 0;
  raft::lag_clock lag_;
  bool fetching_ = false;
  /// The first term that this node led in this run.
  term_t led_from_ = std::numeric_limits<term_t>::max();
  std::deque<round> rounds_;
  std::size_t outstanding_bytes_ = 0;
  /// For each service the rounds (counted from the first ever) that wait for its answer, oldest first.
  std::map<caf::actor_addr, std::deque<std::uint64_t>> expected_;
  std::uint64_t first_round_ = 0;
  /// How large each service's state is, and all of them together.
  std::map<caf::actor_addr, std::uint64_t> sizes_;
  std::uint64_t state_bytes_ = 0;
  bool tell_size_ = false;
  /// Reads that wait for an index.
  std::multimap<index_t, std::vector<query>> waiting_;
  std::size_t waiting_queries_ = 0;

  bool state_lost_ = false;
  /// The entry right behind handed_, which replaces the state by a backup's: that is being loaded, or is not here and
  /// another node's snapshot is waited for.
  std::optional<raft::log_position> restoring_;
  /// Commands of a service that is not here were passed over: the first one's.
  std::string missing_service_;

  /// Of everything handed out.
  index_t members_at_ = 0;
  raft::configuration members_;
  snapshot_schedule schedule_;
  std::optional<viewing> viewing_;
  std::uint64_t last_view_ = 0;
  /// Views wait for the log, or are with the snapshot store.
  bool writing_ = false;
  /// The newest one here that can be read.
  raft::snapshot_id newest_;
  /// The last entry that restored a backup here: until a snapshot covers it, this node depends on the backup's file.
  index_t restored_at_ = 0;
  std::string snapshot_error_;
  /// After a failure none is taken before the timer.
  bool resting_ = false;
  raft::time_point rests_until_;
  /// When the newest one was begun, and when the next one may be that is asked for.
  raft::time_point began_at_;
  raft::time_point asked_after_;
  timer_slot timer_;
  /// Who asked for a snapshot, and up to where it must reach.
  std::vector<std::pair<index_t, caf::typed_response_promise<snapshot_result>>> asked_;
};

} // namespace troupe

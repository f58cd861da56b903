// Applies committed entries in order: sends each service its commands, and the proxy their outcomes. It also triggers
// snapshots: between two batches it asks every service for a view of its state, and sends the views to the snapshot
// store.
//
//   [following] -- commit_entries with a gap before them --> [fetching] -- log_chunk ... no gap left --> [following]
//       |  the services have too much to answer                 ^
//       +-------------------------------------------------------+   (entries that are not accepted are fetched later)
//
//   [following], [fetching] -- an entry that restores a backup --> [restoring]
//   [restoring] -- the backup's state, or a snapshot beyond the entry --> [fetching]
//       (if the backup is missing on this node, the role is notified, and a leader's snapshot is needed)
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "actors/replica/apply_pipeline.hpp"
#include "actors/replica/snapshot_taker.hpp"
#include "actors/replica/state_sizes.hpp"
#include "actors/replica/waiting_reads.hpp"
#include "raft/lag_clock.hpp"

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
  void on_end() override;

 private:
  void on_commit(const commit_entries& message);
  void accept(const std::vector<raft::entry>& entries);
  void hand_out(std::span<const raft::entry> entries);
  void add(apply_pipeline::batch what, const std::vector<std::string>& services);
  void route(const raft::entry& e, apply_pipeline::batch& current, std::map<std::string, apply_batch>& asked);
  void on_applied(applied_batch& answer);
  void complete_batches();
  bool may_hand_out() const;
  void catch_up();
  void on_query(const query_batch& message);
  void serve(index_t at, const std::vector<query>& queries);
  void serve_waiting();
  void resized(const std::string& service, std::uint64_t bytes);

  void restore(const raft::entry& e, const raft::snapshot_id& backup);
  void restored(const backup_loaded& answer);

  void adopt(const adopt_state& message);
  void replace_states(loaded_state& state);
  void discard(loaded_state& state);

  void snapshot_if_due();
  void take_snapshot_now();
  void take_requested_snapshot();
  void collect_view(const state_view& answer);
  void write_snapshot_if_complete();
  void on_written(const snapshot_written& result);
  void on_lost(const raft::snapshot_id& id);
  void on_timer();
  caf::error no_snapshot_now() const;
  void answer_snapshot_requests();
  caf::result<snapshot_result> on_take_snapshot();

  service_table services_;
  std::map<caf::actor_addr, std::string> names_;
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
  apply_pipeline pipeline_;
  waiting_reads reads_;
  state_sizes sizes_;
  bool tell_size_ = false;

  bool state_lost_ = false;
  /// The entry right after handed_, if it replaces the state by a backup's. The backup is being loaded, or it is
  /// missing here and the node waits for another node's snapshot.
  std::optional<raft::log_position> restoring_;

  /// The newest configuration among the entries up to handed_, and its index.
  index_t members_at_ = 0;
  raft::configuration members_;
  snapshot_taker snapshot_;
  timer_slot timer_;
  /// Pending requests for a snapshot, each with the index that the snapshot must reach.
  std::vector<std::pair<index_t, caf::typed_response_promise<snapshot_result>>> snapshot_requests_;
};

} // namespace troupe

// Decides when this node takes a snapshot, and follows one from the services' views to its file.
#pragma once

#include "actors/protocol/snapshot_messages.hpp"
#include "actors/replica/snapshot_schedule.hpp"
#include "raft/base/types.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace troupe {

/// Pure. At most one snapshot is under way: first its views are collected, then it is written.
class snapshot_taker {
 public:
  /// `newest` is the newest readable snapshot on this node, if there is one.
  snapshot_taker(const snapshot_policy& policy, std::uint64_t seed, const raft::snapshot_id& newest);

  const raft::snapshot_id& newest() const noexcept { return newest_; }

  void logged(std::uint64_t bytes, index_t entries) { schedule_.logged(bytes, entries); }
  /// The state is that of a backup, from the entry at `at` on. Until a snapshot covers that entry, this node depends on
  /// the backup's file.
  void restored(index_t at, const raft::snapshot_id& backup);
  /// The state is that of another node's snapshot, which is on this node's disk.
  void adopted(const raft::snapshot_id& snapshot);
  /// Returns true if the newest snapshot was this one: another should be taken.
  bool lost(const raft::snapshot_id& snapshot);
  /// Commands of a service that this program does not run were skipped. A snapshot would cover them, and compaction
  /// would then remove them from the log, so none is taken until the state comes from elsewhere.
  void skipped_commands_of(const std::string& service);

  /// A snapshot should be taken without a request.
  bool due() const { return schedule_.due() || newest_.last.index < restored_at_; }
  /// A snapshot of the state at `handed` would be new, and nothing prevents one.
  bool can_begin(index_t handed) const {
    return !collecting_ && !writing_ && !blocked() && handed > newest_.last.index;
  }
  /// No snapshot can be taken now: the last one failed a moment ago, or commands were skipped.
  bool blocked() const { return retry_at_.has_value() || !missing_service_.empty(); }
  bool under_way() const { return collecting_ || writing_; }
  /// Begins a snapshot of `services` views. Returns its number, which the views carry.
  std::uint64_t begin(const raft::snapshot_point& at, std::size_t services, raft::time_point now);
  /// Adds a service's view; views of an earlier number are ignored.
  void add_view(const std::string& service, const state_view& view);
  /// The snapshot that is to be written, once all its views are there.
  std::optional<write_snapshot> take_complete();
  /// Frees the views that were collected.
  void abandon() { collecting_.reset(); }
  /// The snapshot is on disk, or writing it failed: then none is taken for a while.
  void written(const snapshot_written& result, raft::time_point now);

  /// When a failed snapshot may be tried again; nullopt if the last one did not fail.
  std::optional<raft::time_point> retry_at() const { return retry_at_; }
  void end_pause() { retry_at_.reset(); }
  /// When a requested snapshot may begin. Requests that arrive earlier share it.
  raft::time_point next_requested_at() const noexcept { return next_requested_at_; }

  /// Why no snapshot can be taken now; empty if one can.
  std::string objection() const;
  /// Tells that the present snapshot takes long; empty if it does not.
  std::string unfinished(raft::time_point now) const;

 private:
  struct collecting {
    std::uint64_t number = 0;
    write_snapshot what;
    std::size_t missing = 0;
  };

  snapshot_schedule schedule_;
  raft::snapshot_id newest_;
  index_t restored_at_ = 0;
  /// The first service whose commands were skipped; empty if none was.
  std::string missing_service_;
  std::optional<collecting> collecting_;
  std::uint64_t last_number_ = 0;
  /// The views wait for the log to be synced, or the snapshot store is writing them.
  bool writing_ = false;
  std::string error_;
  std::optional<raft::time_point> retry_at_;
  /// When the newest snapshot was begun.
  raft::time_point began_at_;
  raft::time_point next_requested_at_;
};

} // namespace troupe

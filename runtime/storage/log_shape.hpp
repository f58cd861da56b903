// The log without its data: its start, its terms and its configurations.
#pragma once

#include "raft/storage.hpp"

#include <vector>

namespace troupe {

/// Tracks appends, truncations, resets and compactions. Uses memory per term and per configuration, not per entry. Not
/// thread-safe.
class log_shape {
 public:
  /// The log begins after this position.
  raft::log_position start() const noexcept { return start_; }
  /// start().index if the log is empty.
  raft::index_t last_index() const noexcept { return last_index_; }
  /// start().term if the log is empty.
  raft::term_t last_term() const noexcept { return terms_.empty() ? start_.term : terms_.back().term; }
  /// `index` must lie in [start().index, last_index()].
  raft::term_t term_at(raft::index_t index) const;

  /// Appends an entry; its index must be `last_index() + 1` and its term not below `last_term()`.
  void append(const raft::entry& value);
  /// Drops the entries from `from` on, which must be after the start.
  void truncate(raft::index_t from);
  /// Drops everything; the log then begins after `start`.
  void reset(raft::log_position start);
  /// Drops the entries up to `up_to`, which must lie in [start().index, last_index()].
  void compact(raft::index_t up_to);

  const std::vector<raft::term_run>& terms() const noexcept { return terms_; }
  const std::vector<raft::entry>& configurations() const noexcept { return configurations_; }

 private:
  raft::log_position start_;
  raft::index_t last_index_ = 0;            // never below start_.index
  std::vector<raft::term_run> terms_;       // both fields are strictly ascending; start_.index < first <= last_index_
  std::vector<raft::entry> configurations_; // those after start_
};

/// Throws `storage_error` unless `change` fits the log that `shape` describes: it truncates after the start, its
/// indexes are contiguous, and its terms do not decrease.
void check_fits(const log_shape& shape, const raft::write& change);

/// The result of opening a log of this shape.
raft::recovered describe(const log_shape& shape, const raft::hard_state& hard);

} // namespace troupe

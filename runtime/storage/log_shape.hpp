// The log without its data: where it and its terms begin, and the configurations in it.
#pragma once

#include "raft/storage.hpp"

#include <vector>

namespace troupe {

/// Follows appends, truncations, resets and compactions. Costs memory per term and per configuration, not per entry.
/// One thread at a time.
class log_shape {
 public:
  /// The log begins behind this place.
  raft::log_position start() const noexcept { return start_; }
  /// start().index for an empty log.
  raft::index_t last_index() const noexcept { return last_index_; }
  /// start().term for an empty log.
  raft::term_t last_term() const noexcept { return terms_.empty() ? start_.term : terms_.back().term; }
  /// `index` must lie in [start().index, last_index()].
  raft::term_t term_at(raft::index_t index) const;

  /// Appends an entry; its index must be `last_index() + 1` and its term not below `last_term()`.
  void append(const raft::entry& value);
  /// Drops the entries from `from` on, which must be behind the start.
  void truncate(raft::index_t from);
  /// Drops everything; the log goes on behind `start`.
  void reset(raft::log_position start);
  /// Drops the entries up to `up_to`, which must lie in [start().index, last_index()].
  void compact(raft::index_t up_to);

  const std::vector<raft::term_run>& terms() const noexcept { return terms_; }
  const std::vector<raft::entry>& configurations() const noexcept { return configurations_; }

 private:
  raft::log_position start_;
  raft::index_t last_index_ = 0;            // never below start_.index
  std::vector<raft::term_run> terms_;       // both fields ascend strictly; start_.index < first <= last_index_
  std::vector<raft::entry> configurations_; // behind start_
};

/// Throws `storage_error` unless `change` fits the log that `shape` describes: a truncation behind its start,
/// contiguous indexes, terms that do not fall.
void check_fits(const log_shape& shape, const raft::write& change);

/// What a log of this shape tells when it is opened.
raft::recovered describe(const log_shape& shape, const raft::hard_state& hard);

} // namespace troupe

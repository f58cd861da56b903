// The log without its data: where terms begin, and the configurations in it.
#pragma once

#include "raft/storage.hpp"

#include <vector>

namespace troupe {

/// Follows appends and truncations. Costs memory per term and per configuration, not per entry. One thread at a time.
class log_shape {
 public:
  raft::index_t last_index() const noexcept { return last_index_; }
  /// 0 for an empty log.
  raft::term_t last_term() const noexcept { return terms_.empty() ? 0 : terms_.back().term; }

  /// Appends an entry; its index must be `last_index() + 1` and its term not below `last_term()`.
  void append(const raft::entry& value);
  /// Drops the entries from `from` on.
  void truncate(raft::index_t from);

  const std::vector<raft::term_run>& terms() const noexcept { return terms_; }
  const std::vector<raft::entry>& configurations() const noexcept { return configurations_; }

 private:
  raft::index_t last_index_ = 0;
  std::vector<raft::term_run> terms_; // both fields ascend strictly; last().first <= last_index_
  std::vector<raft::entry> configurations_;
};

/// Throws `storage_error` unless `change` fits behind the log that `shape` describes: a truncation within it or right
/// behind it, contiguous indexes, terms that do not fall.
void check_fits(const log_shape& shape, const raft::write& change);

} // namespace troupe

// The log as the roles see it: every term, and the newest entries with their data.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/log_bytes.hpp"
#include "raft/storage.hpp"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::raft {

/// Invariants: the cached entries are the log's contiguous tail (0 entries or up to `last_index()`); term runs start
/// right behind `start()` and their terms rise; everything up to `start()` is committed.
class log_view {
 public:
  log_view() = default;
  /// The view of a log that was recovered from disk: no data, all terms, all configurations.
  explicit log_view(const recovered& disk);

  /// The log begins behind this place: what was before is compacted.
  const log_position& start() const noexcept { return start_; }
  index_t last_index() const noexcept { return last_; }
  term_t last_term() const noexcept { return runs_.empty() ? start_.term : runs_.back().term; }
  /// The term at `index`: 0 for index 0, nothing beyond the end and where the log is compacted.
  std::optional<term_t> term_at(index_t index) const;
  /// The last index <= `index` whose term is <= `term`, but not below start().index, which is common to all logs that
  /// have it. A follower and a leader use it to skip whole terms.
  index_t last_at_or_below(index_t index, term_t term) const;

  /// `e.index` must be last_index() + 1, its term not below last_term().
  void append(const entry& e);
  /// Drops entries from `from` on.
  void truncate_from(index_t from);
  /// Begins behind `up_to` from now on, which must not be below start().index nor beyond the end.
  void compact(index_t up_to);
  /// Drops everything, and begins behind `at`.
  void reset(const snapshot_point& at);
  /// Takes over who was a member at `at`, which this log agrees with, if it does not hold that itself: a log whose
  /// beginning is compacted knows it from a snapshot only.
  void adopt_members(const snapshot_point& at);

  /// Cached entries from `first` to `last`, at least one if there is one, at most `max_bytes` of cost. Empty when
  /// `first` is not in the cache.
  std::vector<entry> slice(index_t first, index_t last, std::size_t max_bytes) const;
  /// The first index that `slice` can start at; last_index() + 1 when nothing is cached.
  index_t first_cached() const noexcept { return last_ + 1 - static_cast<index_t>(cache_.size()); }
  /// Forgets the data of entries up to `limit` while the cache costs more than `max_bytes`.
  void evict(index_t limit, std::size_t max_bytes);

  /// About how much the entries behind `index` cost.
  std::uint64_t bytes_behind(index_t index) const { return bytes_.behind(index); }
  /// Where a tail begins that ends at `end` and holds no more than so many entries, and about so many bytes.
  index_t tail_behind(index_t end, index_t entries, std::uint64_t bytes) const;

  /// The newest configuration in the log, committed or not (a configuration counts from its append); empty if none.
  const configuration& current() const noexcept;
  index_t configuration_index() const noexcept { return configurations_.empty() ? 0 : configurations_.back().first; }
  /// The configuration before the current one; empty if there was none, or the log has lost it.
  const configuration& previous() const noexcept;
  using placed_configuration = std::pair<index_t, configuration>;
  /// The index of the newest configuration here that has `id` (0: none has), and the one that follows it (null: none
  /// does).
  std::pair<index_t, const placed_configuration*> last_membership(node_id id) const noexcept;
  /// True if `id` votes in a configuration that may be in force: the newest one up to `commit`, or one behind it.
  bool may_count(node_id id, index_t commit) const noexcept;

 private:
  void note_term(index_t index, term_t term);
  void note_configuration(const entry& e);

  log_position start_;
  index_t last_ = 0;
  std::vector<term_run> runs_;
  std::deque<entry> cache_;
  std::size_t cached_bytes_ = 0;
  log_bytes bytes_;
  /// Those behind start(), and the one that held there.
  std::vector<placed_configuration> configurations_;
};

} // namespace troupe::raft

// The log as the roles see it: all terms, and the newest entries with their data.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/log_bytes.hpp"
#include "raft/storage.hpp"

#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::raft {

/// An index is pinned if the entries after it must stay in the log. This value, which is above every index, means that
/// none is pinned.
inline constexpr index_t nothing_pinned = std::numeric_limits<index_t>::max();

/// Invariants: the cache is empty or holds the contiguous entries up to `last_index()`; term runs start right after
/// `start()`, and their terms rise; everything up to `start()` is committed.
class log_view {
 public:
  log_view() = default;
  /// A log recovered from disk: all terms and configurations, but no data in the cache.
  explicit log_view(const recovered& disk);

  /// The log begins after this position; everything up to it is compacted.
  const log_position& start() const noexcept { return start_; }
  index_t last_index() const noexcept { return last_; }
  term_t last_term() const noexcept { return runs_.empty() ? start_.term : runs_.back().term; }
  /// The term at `index`: 0 for index 0, nullopt beyond the end and below start().
  std::optional<term_t> term_at(index_t index) const;
  /// The last index <= `index` whose term is <= `term`, but not below start().index, where all logs agree. Followers
  /// and leaders use it to skip whole terms.
  index_t last_at_or_below(index_t index, term_t term) const;

  /// `e.index` must be last_index() + 1, and `e.term` at least last_term(). Throws std::logic_error otherwise.
  void append(const entry& e);
  /// Drops the entries from `from` on.
  void truncate_from(index_t from);
  /// Drops the entries up to `up_to`, which must lie between start().index and the end. Throws std::logic_error
  /// otherwise.
  void compact(index_t up_to);
  /// Drops everything. The log then begins after `at`.
  void reset(const snapshot_point& at);
  /// Adopts the configuration at `at` if this log, which must agree with `at`, does not contain it: a compacted log
  /// knows the configuration at its start only from a snapshot.
  void adopt_members(const snapshot_point& at);

  /// Cached entries from `first` to `last`, at most `max_bytes` of cost, but at least one entry if there is one. Empty
  /// if `first` is not in the cache.
  std::vector<entry> slice(index_t first, index_t last, std::size_t max_bytes) const;
  /// The first index that `slice` can start at; last_index() + 1 when nothing is cached.
  index_t first_cached() const noexcept { return last_ + 1 - static_cast<index_t>(cache_.size()); }
  /// Evicts entries up to `limit` from the cache while it costs more than `max_bytes`.
  void evict(index_t limit, std::size_t max_bytes);

  /// The approximate cost of the entries after `index`.
  std::uint64_t bytes_behind(index_t index) const { return bytes_.behind(index); }
  /// The index after which a tail begins that ends at `end` and holds at most `entries` entries and about `bytes`
  /// bytes.
  index_t tail_behind(index_t end, index_t entries, std::uint64_t bytes) const;

  /// The newest configuration in the log, committed or not, since a configuration is in force from its append. Empty if
  /// there is none.
  const configuration& current() const noexcept;
  index_t configuration_index() const noexcept { return configurations_.empty() ? 0 : configurations_.back().first; }
  /// The configuration before the current one; empty if there was none or it is compacted.
  const configuration& previous() const noexcept;
  using placed_configuration = std::pair<index_t, configuration>;
  /// The index of the newest known configuration that includes `id` (0 if none), and the configuration that follows it
  /// (nullptr if none).
  std::pair<index_t, const placed_configuration*> last_membership(node_id id) const noexcept;
  /// True if `id` votes in a configuration that may be in force: the newest one up to `commit`, or a later one.
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
  /// The configurations after start(), and the one in force at start().
  std::vector<placed_configuration> configurations_;
};

} // namespace troupe::raft

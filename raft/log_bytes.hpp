// How many bytes the entries of a log cost, without their data at hand.
#pragma once

#include "raft/base/types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace troupe::raft {

/// The entries up to `index` cost so many bytes together, counted from somewhere before the log's start.
struct byte_mark {
  index_t index = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const byte_mark&, const byte_mark&) = default;
};

/// Follows appends, truncations, resets and compactions of a log. Keeps one mark for every `grain` bytes, so each
/// answer is exact but for less than `grain`.
class log_bytes {
 public:
  static constexpr std::uint64_t grain = std::uint64_t{64} << 10;

  log_bytes() = default;
  /// An empty log behind `start`.
  explicit log_bytes(index_t start) : marks_{{start, 0}} {}
  /// From the marks of one that followed the same log. Without marks nothing is known: everything up to now costs 0.
  log_bytes(index_t start, const std::vector<byte_mark>& marks);

  void append(index_t index, std::size_t cost);
  /// `cost` of what goes, if that is known. Else what is left of the last `grain` costs nothing from then on.
  void truncate_from(index_t from, std::optional<std::uint64_t> cost);
  void compact(index_t up_to);
  void reset(index_t start);

  /// The cost of the entries behind `index`.
  std::uint64_t behind(index_t index) const { return end_ - up_to(index); }
  /// The lowest index such that the entries behind it, up to `end`, cost no more than `most`; 0 if all do.
  index_t first_within(index_t end, std::uint64_t most) const;
  std::vector<byte_mark> marks() const;

 private:
  std::uint64_t up_to(index_t index) const;

  /// Indexes and bytes rise; the first one is at or before the log's start.
  std::deque<byte_mark> marks_{{0, 0}};
  index_t last_ = 0;
  std::uint64_t end_ = 0;
};

} // namespace troupe::raft

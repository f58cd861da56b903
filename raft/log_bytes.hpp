// Tracks the size of a log's entries without holding their data.
#pragma once

#include "raft/base/types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace troupe::raft {

/// The entries up to `index` cost `bytes` in total, counted from some point at or before the log's start.
struct byte_mark {
  index_t index = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const byte_mark&, const byte_mark&) = default;
};

/// Follows appends, truncations, resets and compactions of a log. It keeps one mark per `grain` bytes, so each result
/// is off by less than `grain`.
class log_bytes {
 public:
  static constexpr std::uint64_t grain = std::uint64_t{64} << 10;

  log_bytes() = default;
  /// An empty log after `start`.
  explicit log_bytes(index_t start) : marks_{{start, 0}} {}
  /// Continues from the `marks()` of another object that followed the same log. Without marks, all existing entries
  /// count as 0 bytes.
  log_bytes(index_t start, const std::vector<byte_mark>& marks);

  void append(index_t index, std::size_t cost);
  /// `cost`: of the removed entries, if known. If not, the remaining entries after the last mark count as 0 bytes.
  void truncate_from(index_t from, std::optional<std::uint64_t> cost);
  void compact(index_t up_to);
  void reset(index_t start);

  /// The cost of the entries after `index`.
  std::uint64_t behind(index_t index) const { return end_ - up_to(index); }
  /// The lowest index such that the entries after it, up to `end`, cost at most `most`; 0 if all entries together do.
  index_t first_within(index_t end, std::uint64_t most) const;
  std::vector<byte_mark> marks() const;

 private:
  std::uint64_t up_to(index_t index) const;

  /// Indexes and bytes rise; the first mark is at or before the log's start.
  std::deque<byte_mark> marks_{{0, 0}};
  index_t last_ = 0;
  std::uint64_t end_ = 0;
};

} // namespace troupe::raft

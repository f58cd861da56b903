// Tracks since when nodes have not been members.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace troupe::raft {

/// What this process has observed, on its own clock. A removed node compares the duration of its absence with its own
/// age: if it was started after its removal, an operator wants it back. Only durations travel between nodes; their
/// clocks are never compared.
class absences {
 public:
  /// Up to this many former members are tracked one by one.
  static constexpr std::size_t max_kept = 256;

  /// Sets the current members. Must be called for every configuration, in order: a node that was a member only in a
  /// skipped configuration would seem to be absent for longer than it is.
  void note(const configuration& members, time_point now);
  /// As `note`, but other configurations may have been in force in between, with unknown members.
  void note_after_gap(const configuration& members, time_point now);
  bool begun() const noexcept { return others_.has_value(); }
  /// A lower bound for how long `id` has not been a member; 0 for a member.
  duration out_for(node_id id, time_point now) const;

 private:
  std::vector<node_id> members_;
  /// A node that is neither a member nor in `left_` left before this time. Not set before the first `note`.
  std::optional<time_point> others_;
  std::map<node_id, time_point> left_;
};

} // namespace troupe::raft

// Since when nodes are not members.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace troupe::raft {

/// What this run of a node has seen of it, on its own clock. A node that is removed compares it with its own age: if it
/// was started after it was removed, somebody wants it back. Clocks of two nodes are never compared, only durations.
class absences {
 public:
  /// Nodes whose leaving is kept one by one.
  static constexpr std::size_t max_kept = 256;

  /// These are the members from now on. Every configuration must be noted, in order: a node that a skipped one had
  /// would seem to be out for longer than it is.
  void note(const configuration& members, time_point now);
  /// The same when others may have held in between: who came and left meanwhile is not known.
  void note_after_gap(const configuration& members, time_point now);
  bool begun() const noexcept { return others_.has_value(); }
  /// A lower bound for how long `id` has not been a member; 0 for a member.
  duration out_for(node_id id, time_point now) const;

 private:
  std::vector<node_id> members_;
  /// A node that is neither in here nor a member left before this; not set before the first note.
  std::optional<time_point> others_;
  std::map<node_id, time_point> left_;
};

} // namespace troupe::raft

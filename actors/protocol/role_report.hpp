// What a role reports about itself and its node's log.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <optional>
#include <troupe/status.hpp>

namespace troupe {

/// Asks a role for a role_report.
struct get_role_report {};

struct role_report {
  /// The public part.
  role_status role;
  raft::configuration members;
  /// The time of the last message from the leader; on a leader, from a quorum.
  std::optional<raft::time_point> leader_heard;
  /// The commit index at the first contact with a leader in this run; not set before that.
  std::optional<index_t> ready_at;
  bool disk_full = false;
  /// Set while the disk is stalled: for how long a write has waited.
  std::optional<raft::duration> disk_stalled;
  /// For how long an entry that is known to be committed has not been given to the dispatcher.
  raft::duration behind{};
};

} // namespace troupe

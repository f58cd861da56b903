// What a role tells of itself and of its node's log.
#pragma once

#include "raft/base/types.hpp"
#include "raft/catch_up.hpp"
#include "raft/entry.hpp"
#include "raft/events.hpp"

#include <optional>
#include <vector>

namespace troupe {

using raft::index_t;
using raft::node_id;
using raft::term_t;

struct get_role_status {};

struct role_status {
  raft::role_kind kind = raft::role_kind::follower;
  term_t term = 0;
  node_id leader;
  index_t last_index = 0;
  index_t commit = 0;
  raft::configuration members;
  index_t configuration_index = 0;
  /// When the leader (for a leader: a quorum) was last heard.
  std::optional<raft::time_point> leader_heard;
  /// The commit index at the first contact with a leader in this run; nothing before it.
  std::optional<index_t> ready_at;
  /// Entries up to here are compacted.
  index_t log_start = 0;
  /// The node waits for a snapshot of another one.
  bool state_lost = false;
  bool disk_full = false;
  /// Set while the disk stalls: for how long a write has waited.
  std::optional<raft::duration> disk_stalled;
  /// Another node's snapshot is being received.
  bool installing = false;
  /// For how long something known to be committed has not been given out to be applied.
  raft::duration behind{};
  /// Of a leader: whom a snapshot brings up.
  std::vector<raft::transfer_status> transfers = {};
};

} // namespace troupe

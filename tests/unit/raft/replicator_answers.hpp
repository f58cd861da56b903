// Node 2's responses to the replicator of node 1, the leader of term 1.
#pragma once

#include "raft/replicator.hpp"
#include "tests/unit/raft/fixtures.hpp"

namespace troupe::raft::test {

inline const snapshot_id picture{{50, 1}, 30, 0xabc};

/// The peer's response to an append_request.
inline append_response say(bool success, index_t place, index_t hint = 0, index_t needs = 0) {
  append_response r;
  r.head = {cluster, node_id{2}, node_id{1}, 1};
  r.success = success;
  r.prev_index = place;
  r.match = success ? place : 0;
  r.hint_index = hint;
  r.hint_term = 1;
  r.needs_snapshot = needs;
  return r;
}
/// The peer's response to a snapshot chunk.
inline snapshot_response got(std::uint64_t offset, std::uint64_t next, bool failed = false,
                             const snapshot_id& of = picture) {
  return {{cluster, node_id{2}, node_id{1}, 1}, of, offset, next, failed, 0};
}

} // namespace troupe::raft::test

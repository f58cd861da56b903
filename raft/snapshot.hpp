// What the protocol knows about a snapshot: where it ends, the members at that point, and an id for its bytes.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <cstdint>

namespace troupe::raft {

/// The entries up to and including `last` are committed, and the snapshot holds the resulting state.
struct snapshot_point {
  log_position last;
  /// The newest configuration at or before `last`, and the index of its entry.
  index_t configuration_index = 0;
  configuration members;
  friend bool operator==(const snapshot_point&, const snapshot_point&) = default;
};

/// A snapshot on its way to a peer. The id is not set until the sender has read the first chunk.
struct snapshot_transfer {
  snapshot_id snapshot;
  /// The number of bytes that the peer is known to have.
  std::uint64_t arrived = 0;
  friend bool operator==(const snapshot_transfer&, const snapshot_transfer&) = default;
};

} // namespace troupe::raft

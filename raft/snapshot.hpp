// What the protocol knows about a snapshot: where it ends, the members at that point, and an id for its bytes.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <cstdint>

namespace troupe::raft {

/// The index and term of an entry; {0, 0} is the position before the first entry.
struct log_position {
  index_t index = 0;
  term_t term = 0;
  friend bool operator==(const log_position&, const log_position&) = default;
};

/// The entries up to and including `last` are committed, and the snapshot holds the resulting state.
struct snapshot_point {
  log_position last;
  /// The newest configuration at or before `last`, and the index of its entry.
  index_t configuration_index = 0;
  configuration members;
  friend bool operator==(const snapshot_point&, const snapshot_point&) = default;
};

/// Identifies a snapshot by its bytes: two nodes' snapshots at the same position may be serialized differently.
struct snapshot_id {
  log_position last;
  std::uint64_t size = 0; ///< in bytes
  std::uint64_t checksum = 0;
  explicit operator bool() const noexcept { return size != 0; }
  friend bool operator==(const snapshot_id&, const snapshot_id&) = default;
};

/// A snapshot on its way to a peer. The id is not set until the sender has read the first chunk.
struct snapshot_transfer {
  snapshot_id snapshot;
  /// The number of bytes that the peer is known to have.
  std::uint64_t arrived = 0;
  friend bool operator==(const snapshot_transfer&, const snapshot_transfer&) = default;
};

} // namespace troupe::raft

// What the protocol knows of a snapshot: where it ends, who was a member there, and a name for its bytes.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <cstdint>

namespace troupe::raft {

/// An entry's place in the log and its term; {0, 0} is the place before the first entry.
struct log_position {
  index_t index = 0;
  term_t term = 0;
  friend bool operator==(const log_position&, const log_position&) = default;
};

/// The entries up to and including `last` are committed, and the snapshot holds what they led to.
struct snapshot_point {
  log_position last;
  /// The newest configuration at or before `last`, and the index of its entry.
  index_t configuration_index = 0;
  configuration members;
  friend bool operator==(const snapshot_point&, const snapshot_point&) = default;
};

/// Names a snapshot by its bytes: two nodes' snapshots of one place may differ in how their services wrote them.
struct snapshot_id {
  log_position last;
  /// In bytes.
  std::uint64_t size = 0;
  std::uint64_t checksum = 0;
  explicit operator bool() const noexcept { return size != 0; }
  friend bool operator==(const snapshot_id&, const snapshot_id&) = default;
};

/// A snapshot on its way to a peer. No id while the sender is still looking for one.
struct snapshot_transfer {
  snapshot_id snapshot;
  /// Bytes that the peer is known to have.
  std::uint64_t arrived = 0;
  friend bool operator==(const snapshot_transfer&, const snapshot_transfer&) = default;
};

} // namespace troupe::raft

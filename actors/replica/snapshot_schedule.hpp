// Decides when a node takes a snapshot by itself.
#pragma once

#include "raft/base/random.hpp"
#include "raft/snapshot.hpp"

#include <cstdint>
#include <troupe/cluster_options.hpp>

namespace troupe {

/// Pure. After every snapshot the thresholds are drawn again, from 75 to 125 % of the policy's, so that nodes do not
/// write at the same time. A snapshot is not due before the log has grown by a quarter of the last snapshot's size.
class snapshot_schedule {
 public:
  snapshot_schedule(const snapshot_policy& policy, std::uint64_t seed) : policy_(policy), random_(seed) { draw(); }

  void logged(std::uint64_t bytes, raft::index_t entries) {
    bytes_ += bytes;
    entries_ += entries;
  }
  bool due() const {
    const bool much = bytes_ >= policy_.log_bytes / 100 * percent_ || entries_ >= policy_.log_entries * percent_ / 100;
    return entries_ > 0 && much && bytes_ >= last_size_ / 4;
  }
  /// A snapshot is being taken, or one from another node was adopted: starts counting from zero.
  void taken() {
    bytes_ = 0;
    entries_ = 0;
    draw();
  }
  void wrote(std::uint64_t size) { last_size_ = size; }

 private:
  void draw() { percent_ = 75 + random_.next() % 51; }

  snapshot_policy policy_;
  raft::prng random_;
  std::uint64_t percent_ = 100;
  std::uint64_t bytes_ = 0;
  raft::index_t entries_ = 0;
  std::uint64_t last_size_ = 0;
};

} // namespace troupe

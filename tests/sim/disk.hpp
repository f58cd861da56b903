// A disk as a node must expect it: what was not synced may be gone after a crash, or half of it may be there.
#pragma once

#include "raft/random.hpp"
#include "raft/storage.hpp"

#include <deque>
#include <vector>

namespace troupe::sim {

/// What a disk would show when it was opened now.
struct image {
  raft::hard_state hard;
  std::vector<raft::entry> log; ///< log[0] has index 1

  raft::index_t last_index() const noexcept { return log.size(); }
  raft::term_t last_term() const noexcept { return log.empty() ? 0 : log.back().term; }
  /// 0 for index 0 and for an index that is not there.
  raft::term_t term_at(raft::index_t index) const noexcept {
    return index == 0 || index > log.size() ? 0 : log[index - 1].term;
  }
  void apply(const raft::write& change);
};

class disk {
 public:
  explicit disk(image formatted) : synced_(formatted), written_(std::move(formatted)) {}

  void hand_over(const raft::write& change);
  /// Everything handed over so far will be covered by the sync that starts now. False if there is nothing to sync.
  bool start_sync();
  /// The sync is done: its writes survive any crash.
  raft::durable_mark finish_sync();
  bool syncing() const noexcept { return covered_ != 0; }

  /// Power is lost: a random prefix of what was not synced is there, the last write of it perhaps in part. Returns
  /// true if anything was lost.
  bool crash(raft::prng& random);
  raft::recovered open() const;

  const image& synced() const noexcept { return synced_; }
  const image& written() const noexcept { return written_; }
  /// The newest write that is synced.
  std::uint64_t synced_number() const noexcept { return synced_number_; }
  raft::durable_mark written_mark() const;
  std::vector<raft::entry> read(raft::index_t first, std::size_t max_bytes) const;

 private:
  image synced_;
  image written_;
  std::deque<raft::write> unsynced_;
  std::uint64_t synced_number_ = 0;
  std::uint64_t written_number_ = 0;
  /// The last write the running sync covers; 0 when none runs.
  std::uint64_t covered_ = 0;
};

} // namespace troupe::sim

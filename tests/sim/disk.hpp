// A disk with the behaviour that a node must expect: after a crash, unsynced data may be lost or partly written.
#pragma once

#include "raft/base/random.hpp"
#include "raft/storage.hpp"
#include "tests/sim/register_machine.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace troupe::sim {

/// A snapshot file.
struct stored_snapshot {
  raft::snapshot_point at;
  std::shared_ptr<const register_machine> state;
  bool damaged = false;

  /// The bytes that are sent to other nodes, and their id.
  std::string bytes() const;
  raft::snapshot_id id() const;
  /// Returns nullopt if `bytes` is not a snapshot.
  static std::optional<stored_snapshot> from(std::string_view bytes);
};

/// The contents that a disk would show if it were opened now.
struct image {
  raft::hard_state hard;
  raft::log_position start;
  std::vector<raft::entry> log; ///< log[0] has index start.index + 1

  raft::index_t last_index() const noexcept { return start.index + log.size(); }
  raft::term_t last_term() const noexcept { return log.empty() ? start.term : log.back().term; }
  /// nullptr if the log is compacted at `index` or ends before it.
  const raft::entry* find(raft::index_t index) const noexcept {
    return index <= start.index || index > last_index() ? nullptr : &log[index - start.index - 1];
  }
  /// 0 for index 0 and for an index without an entry.
  raft::term_t term_at(raft::index_t index) const noexcept;
  void apply(const raft::write& change);
  void compact(raft::index_t up_to);
};

class disk {
 public:
  explicit disk(image formatted) : synced_(formatted), written_(std::move(formatted)) {}

  void hand_over(const raft::write& change);
  /// Starts a sync that covers everything handed over so far. False if there is nothing to sync.
  bool start_sync();
  /// The sync is complete: its writes survive any crash.
  raft::durable_mark finish_sync();
  bool syncing() const noexcept { return covered_ != 0; }
  void compact(raft::index_t up_to);

  /// The snapshot is completely on disk, including its name. The two newest snapshots are kept.
  void keep(stored_snapshot snapshot);
  /// Newest first.
  const std::vector<stored_snapshot>& snapshots() const noexcept { return snapshots_; }
  /// The newest snapshot becomes unreadable.
  void damage_newest() { snapshots_.front().damaged = true; }
  /// All snapshots become unreadable.
  void damage_all() {
    for (auto& s : snapshots_) s.damaged = true;
  }

  /// Power failure: a random prefix of the unsynced writes remains, the last of them perhaps in part. Returns true if
  /// anything was lost.
  bool crash(raft::prng& random);
  /// As `crash`, but nothing unsynced remains.
  void lose_unsynced();
  /// A disk that lies: the last entries are gone although they were synced.
  void forget_last(std::size_t entries);
  /// What recovery finds: the newest snapshot that is readable and that the log reaches, and the log after it.
  raft::recovered open();

  const image& synced() const noexcept { return synced_; }
  const image& written() const noexcept { return written_; }
  /// True if the synced log contains this entry, or starts after it.
  bool has(const raft::log_position& place) const noexcept {
    return synced_.start.index > place.index || synced_.term_at(place.index) == place.term;
  }
  /// The last index that a snapshot covers.
  raft::index_t covered() const noexcept { return snapshots_.empty() ? 0 : snapshots_.front().at.last.index; }
  /// The newest write that is synced.
  std::uint64_t synced_number() const noexcept { return synced_number_; }
  raft::durable_mark written_mark() const;
  /// As a real storage: the result begins after the log's start if that is beyond `first`.
  std::vector<raft::entry> read(raft::index_t first, std::size_t max_bytes) const;

 private:
  const stored_snapshot* usable() const;

  image synced_;
  image written_;
  std::vector<stored_snapshot> snapshots_;
  std::deque<raft::write> unsynced_;
  std::uint64_t synced_number_ = 0;
  std::uint64_t written_number_ = 0;
  /// The last write that the running sync covers; 0 if none runs.
  std::uint64_t covered_ = 0;
};

} // namespace troupe::sim

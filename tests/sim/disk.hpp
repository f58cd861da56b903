// A disk as a node must expect it: what was not synced may be gone after a crash, or half of it may be there.
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

  /// The bytes that are sent to other nodes, and their name.
  std::string bytes() const;
  raft::snapshot_id id() const;
  /// Nothing for bytes that are not a snapshot.
  static std::optional<stored_snapshot> from(std::string_view bytes);
};

/// What a disk would show when it was opened now.
struct image {
  raft::hard_state hard;
  raft::log_position start;
  std::vector<raft::entry> log; ///< log[0] has index start.index + 1

  raft::index_t last_index() const noexcept { return start.index + log.size(); }
  raft::term_t last_term() const noexcept { return log.empty() ? start.term : log.back().term; }
  /// Null where the log is compacted, and beyond its end.
  const raft::entry* find(raft::index_t index) const noexcept {
    return index <= start.index || index > last_index() ? nullptr : &log[index - start.index - 1];
  }
  /// 0 for index 0 and for an index that is not there.
  raft::term_t term_at(raft::index_t index) const noexcept;
  void apply(const raft::write& change);
  void compact(raft::index_t up_to);
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
  void compact(raft::index_t up_to);

  /// A snapshot, its name and all, is on disk from now on; of all that there are the two newest stay.
  void keep(stored_snapshot snapshot);
  /// Newest first.
  const std::vector<stored_snapshot>& snapshots() const noexcept { return snapshots_; }
  /// The newest one will not be readable.
  void damage_newest() { snapshots_.front().damaged = true; }
  /// None will be.
  void damage_all() {
    for (auto& s : snapshots_) s.damaged = true;
  }

  /// Power is lost: a random prefix of what was not synced is there, the last write of it perhaps in part. Returns
  /// true if anything was lost.
  bool crash(raft::prng& random);
  /// The same with nothing of what was not synced.
  void lose_unsynced();
  /// A disk that lies: the last entries are gone although they were synced.
  void forget_last(std::size_t entries);
  /// What recovery finds and makes of it: the newest snapshot that can be read and that the log reaches, and a log that
  /// goes on from it.
  raft::recovered open();

  const image& synced() const noexcept { return synced_; }
  const image& written() const noexcept { return written_; }
  /// What is synced holds this entry, or begins behind it.
  bool has(const raft::log_position& place) const noexcept {
    return synced_.start.index > place.index || synced_.term_at(place.index) == place.term;
  }
  /// A snapshot stands for the log up to here.
  raft::index_t covered() const noexcept { return snapshots_.empty() ? 0 : snapshots_.front().at.last.index; }
  /// The newest write that is synced.
  std::uint64_t synced_number() const noexcept { return synced_number_; }
  raft::durable_mark written_mark() const;
  /// As a storage does: begins behind the log's start when that is further on.
  std::vector<raft::entry> read(raft::index_t first, std::size_t max_bytes) const;

 private:
  const stored_snapshot* usable() const;

  image synced_;
  image written_;
  std::vector<stored_snapshot> snapshots_;
  std::deque<raft::write> unsynced_;
  std::uint64_t synced_number_ = 0;
  std::uint64_t written_number_ = 0;
  /// The last write the running sync covers; 0 when none runs.
  std::uint64_t covered_ = 0;
};

} // namespace troupe::sim

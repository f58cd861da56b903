// What the protocol needs of a disk. The interface lives here with its user; runtime/storage/ implements it.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"
#include "raft/log_bytes.hpp"
#include "raft/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::raft {

/// What a node must never forget (Raft paper, figure 2, "persistent state").
struct hard_state {
  term_t term = 0;
  node_id voted_for;
  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// One change of what is on disk. A node numbers its writes 1, 2, 3 ... in the order in which it hands them over,
/// from 1 again after a start of the process. Applied in this order: hard state, reset, truncation, append.
struct write {
  std::uint64_t number = 0;
  std::optional<hard_state> hard;
  /// The whole log is dropped, and goes on behind this place, up to which a snapshot on disk stands for it.
  std::optional<log_position> reset_to;
  /// Entries from this index on are dropped.
  std::optional<index_t> truncate_from;
  /// Contiguous, the first one right behind the last entry that is left.
  std::vector<entry> append;

  bool empty() const noexcept { return !hard && !reset_to && !truncate_from && append.empty(); }
};

/// What is surely on disk: every write up to `number`, and the log's last entry after it.
struct durable_mark {
  std::uint64_t number = 0;
  index_t last_index = 0;
  term_t last_term = 0;
  friend bool operator==(const durable_mark&, const durable_mark&) = default;
};

/// The disk failed, or holds what it must not. The text names the path and the cause (errno or offset).
class storage_error : public std::runtime_error {
 public:
  explicit storage_error(const std::string& text, bool no_space = false, bool damaged = false, bool temporary = false)
      : std::runtime_error(text), no_space_(no_space), damaged_(damaged), temporary_(temporary) {}
  /// The disk is full (or the quota is): what was there is as good as before, and another attempt may succeed.
  bool no_space() const noexcept { return no_space_; }
  /// What is on disk is not what was written.
  bool damaged() const noexcept { return damaged_; }
  /// The process was short of file descriptors, memory or the like: nothing is wrong with the disk, nothing was done,
  /// and the same call may succeed a moment later.
  bool temporary() const noexcept { return temporary_; }

 private:
  bool no_space_;
  bool damaged_;
  bool temporary_;
};

/// A stop was requested while the disk was read. Nothing is wrong with the disk, and opening it again finds everything.
class reading_stopped : public storage_error {
 public:
  reading_stopped() : storage_error("the reading of the disk was stopped") {}
};

/// The log's shape without its data: entries from `first` up to the next run's first have this term.
struct term_run {
  index_t first = 0;
  term_t term = 0;
  friend bool operator==(const term_run&, const term_run&) = default;
};

/// What was on disk when the storage was opened.
struct recovered {
  hard_state hard;
  /// Never below start.index.
  index_t last_index = 0;
  /// Of the entries behind `start`.
  std::vector<term_run> terms;
  /// What the entries behind `start` cost, as `log_bytes` keeps it. Empty: not known.
  std::vector<byte_mark> sizes = {};
  /// Every configuration entry behind `start`, with its data.
  std::vector<entry> configurations;
  /// Things that an operator should read: a torn tail that was cut, and where.
  std::vector<std::string> notes;
  /// The log begins behind this place; what was before is compacted.
  log_position start;
  /// What the state machines were loaded from; start.index <= snapshot->last.index <= last_index.
  std::optional<snapshot_point> snapshot;
  /// The log begins behind index 1 and no snapshot that reaches it can be read: term, vote and the end of the log are
  /// as they were, the state is gone and must come from another node.
  bool state_lost = false;
  /// As `storage::has_room` says at the opening.
  bool has_room = true;
};

/// Blocking storage of one node's term, vote and log. Used by one thread at a time. Every function may throw
/// `storage_error`. After a temporary one everything is as before the call, which may be repeated: what was applied
/// waits for the next `sync`. After any other throw from `apply` or `sync` the object refuses every further write (what
/// a failed sync left on disk is unknown until it is opened again).
class storage {
 public:
  virtual ~storage() = default;
  /// Takes a write over. It is durable only after the next `sync`.
  virtual void apply(const write& change) = 0;
  /// Returns when everything applied so far is on disk.
  virtual void sync() = 0;
  /// Entries from `first` on, up to and including `last`, fewer when they exceed `max_bytes` of cost (at least one
  /// if there is one). Nothing up to the log's start is returned.
  virtual std::vector<entry> read(index_t first, index_t last, std::size_t max_bytes) = 0;
  /// Entries up to and including `up_to` are needed no more: a snapshot on disk stands for them. The storage drops what
  /// it can drop cheaply, now or later; a second opening may find any of them still there.
  virtual void compact(index_t up_to) = 0;
  /// Whether the disk has taken room ahead for a good deal of entries (of a file's log: a whole segment). When it has
  /// not, tries to take it; where that fails because the disk is full, that is no failure of the storage, and the
  /// room that is left is best kept for votes: ask again a second later before entries are accepted.
  virtual bool has_room() = 0;
};

} // namespace troupe::raft

// The storage that the protocol needs. The interface is declared next to its user; runtime/storage/ implements it.
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

/// The state that a node must never lose (Raft paper, figure 2, "persistent state").
struct hard_state {
  term_t term = 0;
  node_id voted_for;
  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// One change to the disk. A node numbers its writes 1, 2, 3 ... in the order in which it hands them over, beginning
/// with 1 at each start of the process. The parts are applied in this order: hard state, reset, truncation, append.
struct write {
  std::uint64_t number = 0;
  std::optional<hard_state> hard;
  /// The whole log is dropped and continues after this position, up to which a snapshot on disk replaces it.
  std::optional<log_position> reset_to;
  /// Entries from this index on are dropped.
  std::optional<index_t> truncate_from;
  /// Contiguous; the first entry follows the last remaining one.
  std::vector<entry> append;

  bool empty() const noexcept { return !hard && !reset_to && !truncate_from && append.empty(); }
};

/// What is known to be on disk: all writes up to `number`. The other fields are the log's last entry after that write.
struct durable_mark {
  std::uint64_t number = 0;
  index_t last_index = 0;
  term_t last_term = 0;
  friend bool operator==(const durable_mark&, const durable_mark&) = default;
};

/// The disk failed, or its contents are invalid. The text names the path and the cause (errno or offset).
class storage_error : public std::runtime_error {
 public:
  explicit storage_error(const std::string& text, bool no_space = false, bool damaged = false, bool temporary = false)
      : std::runtime_error(text), no_space_(no_space), damaged_(damaged), temporary_(temporary) {}
  /// The disk or the quota is full. What was stored before is intact, and another attempt may succeed.
  bool no_space() const noexcept { return no_space_; }
  /// The contents of the disk are not what was written.
  bool damaged() const noexcept { return damaged_; }
  /// The process was short of file descriptors, memory or the like. Nothing is wrong with the disk, nothing was done,
  /// and the same call may succeed later.
  bool temporary() const noexcept { return temporary_; }

 private:
  bool no_space_;
  bool damaged_;
  bool temporary_;
};

/// A stop was requested while the disk was being read. Nothing is wrong with the disk, and it can be opened again.
class reading_stopped : public storage_error {
 public:
  reading_stopped() : storage_error("reading the disk was stopped") {}
};

/// A run of entries with the same term: from `first` to the entry before the next run's `first`.
struct term_run {
  index_t first = 0;
  term_t term = 0;
  friend bool operator==(const term_run&, const term_run&) = default;
};

/// The contents of the disk when the storage was opened.
struct recovered {
  hard_state hard;
  /// At least start.index.
  index_t last_index = 0;
  /// The terms of the entries after `start`.
  std::vector<term_run> terms;
  /// The costs of the entries after `start`, for `log_bytes`. Empty if not known.
  std::vector<byte_mark> sizes = {};
  /// All configuration entries after `start`, with their data.
  std::vector<entry> configurations;
  /// Messages for an operator, such as a torn tail that was truncated, and where.
  std::vector<std::string> notes;
  /// The log begins after this position; everything up to it is compacted.
  log_position start;
  /// The snapshot that the state machines were loaded from; start.index <= snapshot->last.index <= last_index.
  std::optional<snapshot_point> snapshot;
  /// The log is compacted, and no snapshot that reaches its start can be read. Term, vote and the end of the log are
  /// intact, but the state is lost and must come from another node.
  bool state_lost = false;
  /// The result of `storage::has_room` when the storage was opened.
  bool has_room = true;
};

/// Blocking storage for one node's term, vote and log. Must be used by one thread at a time. Every function may throw
/// `storage_error`. After a temporary error everything is as before the call, which may be repeated: what was applied
/// still waits for the next `sync`. After any other error from `apply` or `sync` the object refuses all further writes,
/// because what a failed sync left on disk is unknown until the storage is opened again.
class storage {
 public:
  virtual ~storage() = default;
  /// Accepts a write. It is durable only after the next `sync`.
  virtual void apply(const write& change) = 0;
  /// Returns when everything applied so far is on disk.
  virtual void sync() = 0;
  /// Returns the entries from `first` to `last`, both included, but fewer if they exceed `max_bytes` of cost (at least
  /// one if there is one). Compacted entries are not returned.
  virtual std::vector<entry> read(index_t first, index_t last, std::size_t max_bytes) = 0;
  /// Entries up to and including `up_to` are no longer needed: a snapshot on disk replaces them. The storage drops what
  /// it can drop cheaply, now or later. After it is opened again, any of them may still be there.
  virtual void compact(index_t up_to) = 0;
  /// Whether the storage has preallocated room for many entries (for a log in files: a whole segment). If not, it tries
  /// to allocate the room. A full disk is not an error here: it returns false, and the caller should keep the remaining
  /// room for votes and ask again after a second before it accepts entries.
  virtual bool has_room() = 0;
};

} // namespace troupe::raft

// Sends a snapshot to one peer, one chunk at a time, independently of the replication of entries.
//
//   [idle] -- want --> [reading] -- chunk is read --> [sent] -- response --> (pause) --> [reading] ...
//     ^                                                 |
//     +-- rest, from any state (progress is kept)       +-- response is overdue --> [silent] -- heard --> [reading]
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"

#include <optional>

namespace troupe::raft {

/// A chunk of a snapshot on the leader's disk. Without an id if there is no suitable snapshot, or the requested one no
/// longer exists.
struct snapshot_chunk {
  snapshot_id snapshot;
  std::uint64_t offset = 0;
  bytes data;
};

/// Asks for a `snapshot_chunk` of the given snapshot. Without an id (at offset 0), of the newest one, if that reaches
/// `reach`.
struct chunk_request {
  snapshot_id snapshot;
  index_t reach = 0;
  std::uint64_t offset = 0;
  std::size_t max_bytes = 0;
};

/// The actions that a sender requests from its replicator.
struct sender_output {
  std::optional<chunk_request> read_chunk;
  std::optional<snapshot_chunk> send_chunk;
  /// The peer could not use this snapshot: the copy on this node's disk may be damaged.
  std::optional<snapshot_id> doubted;
};

/// Pure state machine. Invariants: at most one chunk is being read or in flight; nothing is sent while idle or silent;
/// a started transfer continues as long as its snapshot reaches far enough, because switching to ever newer snapshots
/// would never complete for a slow peer.
class snapshot_sender {
 public:
  explicit snapshot_sender(const options& opts) : opts_(opts) {}

  /// The peer needs a snapshot that reaches this index (not 0). May be repeated.
  void want(index_t reach, time_point now, sender_output& out);
  /// The peer needs no snapshot at the moment.
  void rest();
  /// Discards the progress of the transfer: the peer has what it needed, or is another process.
  void forget();
  /// The response to the chunk in flight will be ignored: the chunk must be sent again.
  void repeat();
  /// The peer has responded to some request. If it was silent, the sender continues with the chunk that is due.
  void heard(time_point now, sender_output& out);
  /// Returns true if the response to a chunk is overdue: it was lost, or the peer is down or busy loading the snapshot.
  /// Nothing more is sent until the peer responds to something.
  bool tick(time_point now, sender_output& out);
  void on(const snapshot_chunk& what, time_point now, sender_output& out);
  void on(const snapshot_response& what, time_point now, sender_output& out);
  /// When `tick` is due; nullopt while the sender waits for something else.
  std::optional<time_point> deadline() const;

  bool active() const noexcept { return reach_ > 0; }
  /// Not set until the first chunk was read.
  const snapshot_id& snapshot() const noexcept { return snapshot_; }
  /// Set while active.
  std::optional<snapshot_transfer> transfer() const;

 private:
  void ask(time_point now, sender_output& out);
  void start_over(time_point when);
  duration pause_after(std::size_t bytes) const;
  duration response_timeout() const { return 2 * opts_.election_max; }

  options opts_;
  /// The index that the snapshot must reach to be useful to the peer; 0 while idle.
  index_t reach_ = 0;
  snapshot_id snapshot_;
  /// The offset of the chunk in flight, or of the next one.
  std::uint64_t next_byte_ = 0;
  std::uint64_t arrived_ = 0;
  bool reading_ = false;
  /// Set while a chunk is in flight, or the peer has the whole snapshot and loads it: since when.
  std::optional<time_point> sent_at_;
  bool silent_ = false;
  /// No chunk is read before this time.
  time_point resume_at_{};
};

} // namespace troupe::raft

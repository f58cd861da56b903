// Sends a snapshot to one peer, a piece at a time, beside whatever its replicator does about entries.
//
//   [idle] -- want --> [reading] -- a piece is here --> [sent] -- its answer --> (pause) --> [reading] ...
//     ^                                                   |
//     +------ rest (what was begun is kept) ------+       +-- the answer is overdue --> [silent] -- heard --> [reading]
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"

#include <optional>

namespace troupe::raft {

/// Bytes of a snapshot on the leader's disk. No id when no snapshot serves, or the one that was asked for is gone.
struct snapshot_piece {
  snapshot_id snapshot;
  std::uint64_t offset = 0;
  bytes data;
};

/// Asks for a `snapshot_piece`: of the snapshot named, or (offset 0) of the newest if it reaches `reach`.
struct piece_request {
  snapshot_id snapshot;
  index_t reach = 0;
  std::uint64_t offset = 0;
  std::size_t max_bytes = 0;
};

/// What a sender asks of its replicator.
struct sender_output {
  std::optional<piece_request> read_piece;
  std::optional<snapshot_piece> send_piece;
  /// The peer could not use this snapshot: perhaps what is on this disk is damaged.
  std::optional<snapshot_id> doubted;
};

/// Pure machine. Invariants: at most one piece is being read or on its way; nothing is sent while idle or silent; a
/// snapshot that was begun is continued as long as it reaches far enough, because a newer one each time would never
/// arrive at a slow peer.
class snapshot_sender {
 public:
  explicit snapshot_sender(const options& opts) : opts_(opts) {}

  /// The peer needs a snapshot that reaches this index (not 0). Harmless when repeated.
  void want(index_t reach, time_point now, sender_output& out);
  /// The peer needs none at the moment.
  void rest();
  /// Nothing that was sent counts any more: the peer has what it needed, or is another process.
  void forget();
  /// The answer to the piece that is on its way will not be taken: it is to be sent again.
  void repeat();
  /// The peer has answered something: one that was silent is sent the piece that is due.
  void heard(time_point now, sender_output& out);
  /// True when the answer to a piece is overdue: it was lost, or the peer is gone or busy loading what it has. Nothing
  /// more is sent before the peer is heard.
  bool tick(time_point now, sender_output& out);
  void on(const snapshot_piece& what, time_point now, sender_output& out);
  void on(const snapshot_response& what, time_point now, sender_output& out);
  /// When `tick` is due; nothing while this waits for something else.
  std::optional<time_point> deadline() const;

  bool active() const noexcept { return reach_ > 0; }
  /// No id until the first piece was read.
  const snapshot_id& snapshot() const noexcept { return snapshot_; }
  /// Set while active.
  std::optional<snapshot_transfer> transfer() const;

 private:
  void ask(time_point now, sender_output& out);
  void start_over(time_point when);
  duration pause_after(std::size_t bytes) const;
  duration patience() const { return 2 * opts_.election_max; }

  options opts_;
  /// A snapshot that ends before this is of no use to the peer; 0 while idle.
  index_t reach_ = 0;
  snapshot_id snapshot_;
  /// The piece on its way begins here, or the next one will.
  std::uint64_t next_byte_ = 0;
  std::uint64_t arrived_ = 0;
  bool reading_ = false;
  /// A piece is on its way to the peer, or all of it is there and being loaded, since then.
  std::optional<time_point> sent_at_;
  bool silent_ = false;
  /// No piece is read before this.
  time_point resume_at_{};
};

} // namespace troupe::raft

// One peer's share of replication: probes where the logs agree, then pipelines entries, or sends a snapshot where the
// log does not reach.
//
//   [probe] -- an answer reaches the place asked about --> [replicate]
//     ^ |                                                   | |  answers stay out, or a refusal: back to [probe]
//     | +-- entries compacted, or the peer lost its state --+ |
//     |                       v                               v
//     +-- in use, or --- [snapshot] <-- entries compacted ----+
//         answers stay out
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"

#include <deque>
#include <optional>
#include <variant>
#include <vector>

namespace troupe::raft {

/// What a replicator needs of the leader's log and does not hold: the term before `first` and entries from it on.
struct fetched {
  index_t first = 0;
  term_t prev_term = 0;
  /// Empty when `first` is behind the end of the log. May begin further on, or be empty, when the log was compacted
  /// while they were read from the disk.
  std::vector<entry> entries;
  /// What was asked for is in the log no more: only a snapshot holds it. `first` is the question's then.
  bool compacted = false;
};

/// Asks the leader for a `fetched`. With `hint_term` the answer starts right behind the last index <= first - 1 whose
/// term is not above the hint, so that one question skips a whole term of a diverged log (Raft paper, end of 5.3).
struct fetch_request {
  index_t first = 0;
  std::optional<term_t> hint_term;
  std::size_t max_bytes = 0;
};

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

using replicator_event = std::variant<tick, replicate, append_response, fetched, snapshot_response, snapshot_piece>;

struct replicator_output {
  std::vector<append_request> send;
  std::optional<snapshot_request> send_piece;
  std::optional<peer_report> report;
  std::optional<fetch_request> fetch;
  std::optional<piece_request> read_piece;
  /// The peer could not use this snapshot: perhaps what is on this disk is damaged.
  std::optional<snapshot_id> doubted;
};

/// What a replicator is started with.
struct replicator_seed {
  options opts;
  /// Cluster, both ends and term of every message.
  header head;
  index_t last = 0;
  term_t last_term = 0;
  index_t commit = 0;
  std::uint64_t round = 0;
};

/// Pure machine. Invariants: match_ < next_ <= last_ + 1; pending_ is the log's piece that starts at next_; prev_term_
/// is the term at next_ - 1 when it is known; in probe at most one request leaves per heartbeat, and it is empty; the
/// unanswered requests stay under the in-flight caps, so a stopped peer costs a bounded number of bytes. Of a snapshot
/// one piece at a time is on its way.
class replicator {
 public:
  explicit replicator(const replicator_seed& seed);

  replicator_output start(time_point now);
  /// Answers of another term or peer than the seed's are ignored.
  replicator_output step(const replicator_event& what, time_point now);
  time_point deadline() const;

  enum class mode : std::uint8_t { probe, replicate, snapshot };
  mode current_mode() const noexcept { return mode_; }
  index_t match() const noexcept { return match_; }

 private:
  struct inflight {
    index_t last;
    std::size_t bytes;
  };

  void on(const tick&, time_point now, replicator_output& out);
  void on(const replicate& what, time_point now, replicator_output& out);
  void on(const append_response& what, time_point now, replicator_output& out);
  void on(const fetched& what, time_point now, replicator_output& out);
  void on(const snapshot_response& what, time_point now, replicator_output& out);
  void on(const snapshot_piece& what, time_point now, replicator_output& out);

  void agreed(const append_response& what);
  void refused(const append_response& what, replicator_output& out);
  void probe_from(index_t next, std::optional<term_t> hint_term, replicator_output& out);
  void pump(time_point now, replicator_output& out);
  void send_entries(time_point now, replicator_output& out);
  void send(time_point now, std::vector<entry> entries, std::size_t bytes, replicator_output& out);
  void fetch(index_t first, std::optional<term_t> hint_term, replicator_output& out);
  bool window_full() const;
  /// What is on its way, and what would be next, is void: begins with nothing known of the term before `next_`.
  void empty_window();
  bool takes(const entry& e) const { return !peer_full_ || e.kind != entry_kind::command; }

  void begin_snapshot(replicator_output& out);
  void snapshot_tick(time_point now, replicator_output& out);
  void begin_anew(time_point when);
  void ask_for_piece(replicator_output& out);
  /// A snapshot that ends before this brings the peer nothing. One that has lost its state needs what it once
  /// acknowledged, too.
  index_t reach() const { return must_reach_ > 0 ? must_reach_ : match_ + 1; }
  /// When the next piece may leave, and when its answer is overdue.
  duration pause_after(std::size_t bytes) const;
  duration piece_patience() const { return 2 * opts_.election_max; }

  options opts_;
  header head_;
  mode mode_ = mode::probe;
  index_t last_;
  index_t commit_;
  std::uint64_t round_;
  index_t match_ = 0;
  index_t next_;
  std::optional<term_t> prev_term_;
  std::deque<entry> pending_;
  std::size_t pending_bytes_ = 0;
  std::deque<inflight> inflight_;
  std::size_t inflight_bytes_ = 0;
  bool fetching_ = false;
  /// The peer's disk is full: it takes no commands.
  bool peer_full_ = false;

  // In mode snapshot.
  /// The peer lost its state, and needs a snapshot that reaches this index; else 0.
  index_t must_reach_ = 0;
  /// No id until the first piece is here.
  snapshot_id snapshot_;
  /// The piece on its way begins here, or the next one will.
  std::uint64_t next_byte_ = 0;
  bool reading_piece_ = false;
  /// A piece is on its way to the peer since then.
  std::optional<time_point> piece_sent_at_;
  /// No piece is asked for before this.
  time_point resume_at_{};

  /// The newest round a request carried.
  std::uint64_t sent_round_ = 0;
  time_point sent_at_{};
  time_point heard_at_{};
  time_point inflight_since_{};
  /// Since when the peer has not been told the newest commit index.
  std::optional<time_point> commit_waits_since_;
};

} // namespace troupe::raft

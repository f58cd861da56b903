// One peer's share of replication: probes where the logs agree, then pipelines entries.
//
//   [probe] -- an answer reaches the place asked about --> [replicate]
//     ^ ^ |                                                  |   |
//     | | +-- the entries that are next are compacted --+    |   +-- answers stay out, or a refusal: back to [probe]
//     | |                                               v    v
//     | +-- the snapshot is in use, or ------------- [snapshot]
//     |     the answer to a piece is overdue
//     +---- from anywhere: the peer is another process, or it denies what it acknowledged. A new session begins.
//
// A snapshot is sent by a `snapshot_sender` beside all that: in mode snapshot, where the log does not reach the peer,
// and in every mode to a peer that has its log but lost its state, whose copies of entries count meanwhile.
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"
#include "raft/snapshot_sender.hpp"

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

using replicator_event = std::variant<tick, replicate, append_response, fetched, snapshot_response, snapshot_piece>;

struct replicator_output {
  std::vector<append_request> send;
  std::optional<snapshot_request> send_piece;
  std::optional<peer_report> report;
  std::optional<fetch_request> fetch;
  std::optional<piece_request> read_piece;
  /// As in sender_output.
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
  /// Its first session. An earlier replicator of the same peer had none from here on, so that no answer to that one
  /// passes for an answer to this one.
  std::uint64_t session = 0;
};

/// Pure machine. Invariants: match_ < next_ <= last_ + 1; pending_ is the log's piece that starts at next_; prev_term_
/// is the term at next_ - 1 when it is known; in probe at most one request leaves per heartbeat, and it is empty; the
/// unanswered requests stay under the in-flight caps, so a stopped peer costs a bounded number of bytes.
///
/// What is known of the peer belongs to one session: requests carry its number, answers carry it back, and answers to
/// requests of earlier sessions are ignored. A session ends when the peer turns out to be another process, or when an
/// answer contradicts what the peer acknowledged: whether that answer is only late shows in the next session.
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

  /// True if an answer is about what is known now; else it is not to be used.
  bool is_current(const header& head, std::uint64_t session, std::uint64_t incarnation, time_point now,
                  replicator_output& out);
  void begin_session();
  /// Nothing is known of the peer any more, as for a new leader.
  void start_over(time_point now, replicator_output& out);
  void agreed(const append_response& what);
  void refused(const append_response& what, time_point now, replicator_output& out);
  void probe_from(index_t next, std::optional<term_t> hint_term, replicator_output& out);
  void pump(time_point now, replicator_output& out);
  void send_entries(time_point now, replicator_output& out);
  void send(time_point now, std::vector<entry> entries, std::size_t bytes, replicator_output& out);
  void fetch(index_t first, std::optional<term_t> hint_term, replicator_output& out);
  bool window_full() const;
  /// What is on its way, and what would be next, is void: begins with nothing known of the term before `next_`.
  void empty_window();
  bool takes(const entry& e) const { return !peer_full_ || e.kind != entry_kind::command; }

  void carry_out(sender_output&& asks, replicator_output& out);
  /// Lets the sender work or rest, as the peer needs it.
  void direct_sender(time_point now, replicator_output& out);
  peer_report report(time_point heard, std::uint64_t round, bool unfit) const;

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
  /// The peer lost its state, and needs a snapshot that reaches this index; else 0.
  index_t must_reach_ = 0;
  snapshot_sender sender_;

  std::uint64_t session_;
  /// Of the peer's process; not known before its first answer.
  std::optional<std::uint64_t> incarnation_;
  /// What the peer acknowledged before this session: it must have all of that. 0 once it was found not to.
  index_t acknowledged_ = 0;

  /// The newest round a request carried.
  std::uint64_t sent_round_ = 0;
  time_point sent_at_{};
  time_point heard_at_{};
  time_point inflight_since_{};
  /// Since when the peer has not been told the newest commit index.
  std::optional<time_point> commit_waits_since_;
};

} // namespace troupe::raft

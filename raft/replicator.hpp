// Replicates the log to one peer: probes for the point where the logs agree, then pipelines entries.
//
//   [probe] -- a response reaches the probed index -----> [replicate]
//     ^ ^ |                                                  |   |
//     | | +-- the next entries are compacted -----------+    |   +-- no responses, or a refusal: back to [probe]
//     | |                                               v    v
//     | +-- the snapshot is loaded, or ------------- [snapshot]
//     |     the response to a chunk is overdue
//     +---- from any mode: the peer is another process, or denies what it acknowledged. A new session begins.
//
// A `snapshot_sender` sends snapshots independently of this: in mode snapshot, where the log does not reach back far
// enough for the peer, and in every mode to a peer that has its log but lost its state. Such a peer's copies of entries
// count meanwhile.
#pragma once

#include "raft/events.hpp"
#include "raft/options.hpp"
#include "raft/snapshot_sender.hpp"

#include <deque>
#include <optional>
#include <variant>
#include <vector>

namespace troupe::raft {

/// A part of the leader's log that a replicator does not hold: the entries from `first` on, and the term before them.
struct fetched {
  index_t first = 0;
  term_t prev_term = 0;
  /// Empty if `first` is beyond the end of the log. If the log was compacted while the entries were read from the disk,
  /// they may begin after `first` or be missing.
  std::vector<entry> entries;
  /// The requested entries are compacted; only a snapshot covers them. `first` is then the one of the request.
  bool compacted = false;
};

/// Asks the leader for a `fetched`. With `hint_term` the answer starts right after the last index <= first - 1 whose
/// term is not above the hint, so that one request skips a whole term of a diverged log (Raft paper, end of 5.3).
struct fetch_request {
  index_t first = 0;
  std::optional<term_t> hint_term;
  std::size_t max_bytes = 0;
};

using replicator_event = std::variant<tick, replicate, append_response, fetched, snapshot_response, snapshot_chunk>;

struct replicator_output {
  std::vector<append_request> send;
  std::optional<snapshot_request> send_chunk;
  std::optional<peer_report> report;
  std::optional<fetch_request> fetch;
  std::optional<chunk_request> read_chunk;
  /// As in sender_output.
  std::optional<snapshot_id> doubted;
};

/// The initial state of a replicator.
struct replicator_seed {
  options opts;
  /// Cluster, sender, receiver and term of every message.
  header head;
  index_t last = 0;
  term_t last_term = 0;
  index_t commit = 0;
  std::uint64_t round = 0;
  /// The first session. Higher than all sessions of earlier replicators of the same peer, so that no response to those
  /// is taken for a response to this one.
  std::uint64_t session = 0;
};

/// Pure state machine. Invariants: match_ < next_ <= last_ + 1; pending_ is the part of the log that starts at next_;
/// prev_term_, if set, is the term at next_ - 1; in mode probe at most one request per heartbeat is sent, and it is
/// empty; unanswered requests stay within the in-flight limits, so a stopped peer costs a bounded number of bytes.
///
/// What is known about the peer belongs to one session. Requests carry the session's number and responses return it;
/// responses to earlier sessions are ignored. A session ends when the peer turns out to be another process, or when a
/// response contradicts what the peer acknowledged. The next session shows whether that response was only late.
class replicator {
 public:
  explicit replicator(const replicator_seed& seed);

  replicator_output start(time_point now);
  /// Responses of another term or peer than the seed's are ignored.
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
  void on(const snapshot_chunk& what, time_point now, replicator_output& out);

  /// True if a response belongs to the current session. Otherwise it must not be used.
  bool is_current(const header& head, std::uint64_t session, std::uint64_t incarnation, time_point now,
                  replicator_output& out);
  void begin_session();
  /// Discards everything known about the peer, as for a new leader.
  void start_over(time_point now, replicator_output& out);
  void agreed(const append_response& what);
  void refused(const append_response& what, time_point now, replicator_output& out);
  void probe_from(index_t next, std::optional<term_t> hint_term, replicator_output& out);
  void pump(time_point now, replicator_output& out);
  void send_entries(time_point now, replicator_output& out);
  void send(time_point now, std::vector<entry> entries, std::size_t bytes, replicator_output& out);
  void fetch(index_t first, std::optional<term_t> hint_term, replicator_output& out);
  bool window_full() const;
  /// Discards the in-flight and pending entries and the term before `next_`.
  void reset_window();
  bool takes(const entry& e) const { return !peer_full_ || e.kind != entry_kind::command; }

  void carry_out(sender_output&& asks, replicator_output& out);
  /// Starts or pauses the snapshot sender, depending on whether the peer needs a snapshot.
  void update_sender(time_point now, replicator_output& out);
  peer_report report(time_point heard, std::uint64_t round, bool ineligible) const;

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
  /// The peer's disk is full: it accepts no commands.
  bool peer_full_ = false;
  /// If not 0, the peer lost its state and needs a snapshot that reaches this index.
  index_t must_reach_ = 0;
  snapshot_sender sender_;

  std::uint64_t session_;
  /// The peer's incarnation; not known before its first response.
  std::optional<std::uint64_t> incarnation_;
  /// The last index that the peer acknowledged in earlier sessions: it must have everything up to there. 0 again once
  /// it turns out to have lost some of it.
  index_t acknowledged_ = 0;

  /// The newest round that a request carried.
  std::uint64_t sent_round_ = 0;
  time_point sent_at_{};
  time_point heard_at_{};
  time_point inflight_since_{};
  /// Since when the peer has not been sent the newest commit index.
  std::optional<time_point> commit_waits_since_;
};

} // namespace troupe::raft

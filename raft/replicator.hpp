// One peer's share of replication: probes where the logs agree, then pipelines entries.
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
  /// Empty when `first` is behind the end of the log.
  std::vector<entry> entries;
};

/// Asks the leader for a `fetched`. With `hint_term` the answer starts right behind the last index <= first - 1 whose
/// term is not above the hint, so that one question skips a whole term of a diverged log (Raft paper, end of 5.3).
struct fetch_request {
  index_t first = 0;
  std::optional<term_t> hint_term;
  std::size_t max_bytes = 0;
};

using replicator_event = std::variant<tick, replicate, append_response, fetched>;

struct replicator_output {
  std::vector<append_request> send;
  std::optional<peer_report> report;
  std::optional<fetch_request> fetch;
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
/// unanswered requests stay under the in-flight caps, so a stopped peer costs a bounded number of bytes.
class replicator {
 public:
  explicit replicator(const replicator_seed& seed);

  replicator_output start(time_point now);
  /// `append_response`: only answers of the seed's term and peer.
  replicator_output step(const replicator_event& what, time_point now);
  time_point deadline() const;

  enum class mode : std::uint8_t { probe, replicate };
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

  void agreed(const append_response& what);
  void refused(const append_response& what, replicator_output& out);
  void probe_from(index_t next, std::optional<term_t> hint_term, replicator_output& out);
  void pump(time_point now, replicator_output& out);
  void send_entries(time_point now, replicator_output& out);
  void send(time_point now, std::vector<entry> entries, std::size_t bytes, replicator_output& out);
  void fetch(index_t first, std::optional<term_t> hint_term, replicator_output& out);
  bool window_full() const;

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
  /// The newest round a request carried.
  std::uint64_t sent_round_ = 0;
  time_point sent_at_{};
  time_point heard_at_{};
  time_point inflight_since_{};
  /// Since when the peer has not been told the newest commit index.
  std::optional<time_point> commit_waits_since_;
};

} // namespace troupe::raft

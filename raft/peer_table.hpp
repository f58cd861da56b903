// The peers of a leader: how much of the log each has, when it last answered, and the log that is kept for it.
#pragma once

#include "raft/catch_up.hpp"
#include "raft/events.hpp"
#include "raft/log_view.hpp"
#include "raft/options.hpp"

#include <map>
#include <optional>
#include <vector>

namespace troupe::raft {

/// What a leader knows about a peer. 0 <= match <= last index. `heard` never falls; `match` and `round` never fall
/// within a session of the peer's replicator.
struct peer_progress {
  std::uint64_t session = 0;
  index_t match = 0;
  std::uint64_t round = 0;
  /// When the newest response arrived. Until the first one, when this leader added the peer.
  time_point heard;
  bool answered = false;
  /// As in peer_report.
  bool ineligible = false;

  /// When the current round of catching up began. It ends when the peer has the entries that the log had then, up to
  /// `goal` (Ongaro's thesis, section 4.2.1).
  time_point catching_up_since;
  index_t goal = 0;
  /// The last such round took less than election_min.
  bool keeps_up = false;
  /// Set while the peer catches up from a snapshot.
  std::optional<catch_up> from_snapshot;

  /// If not 0, the index of the first configuration without the peer.
  index_t left_at = 0;
  /// Set once that configuration is committed: until this time the leader notifies the peer of its removal.
  std::optional<time_point> notify_until;
};

/// Pure bookkeeping. A peer is in the table from the append of the configuration that adds it, until the configuration
/// without it is committed and the peer knows, or has been silent for long.
class peer_table {
 public:
  explicit peer_table(const options& opts) : opts_(opts) {}

  /// Adds a peer that starts to catch up with a log that ends at `last`. Returns false if the table has it.
  bool add(node_id peer, index_t last, time_point now);
  void drop(node_id peer);
  /// Marks the peers that are not in `members`, which is the configuration at index `at`, and unmarks those that are.
  void follow(const configuration& members, index_t at);
  /// Marked peers are to be notified until `until`, unless they already are.
  void notify_leavers(time_point until);
  /// The leavers that are no longer to be notified.
  std::vector<node_id> silent_leavers(time_point now) const;
  /// When the next of them is due.
  std::optional<time_point> next_due() const;

  /// Null if the table does not have the peer.
  const peer_progress* find(node_id peer) const;
  const peer_progress& at(node_id peer) const { return peers_.at(peer); }
  /// For a peer that the table does not have: 0, 0, and the clock's epoch.
  index_t match(node_id peer) const { return known(peer, &peer_progress::match); }
  std::uint64_t round(node_id peer) const { return known(peer, &peer_progress::round); }
  time_point heard(node_id peer) const { return known(peer, &peer_progress::heard); }
  /// The peer has responded to this leader within election_max.
  bool responds(node_id peer, time_point now) const;
  /// The peer may become a voter: its last round of catching up was short, and began a short time ago.
  bool has_caught_up(node_id peer, time_point now) const;
  /// The voter with the longest matching log among the eligible ones that responded within election_min; no id if there
  /// is none.
  node_id best_successor(const std::vector<member>& voters, time_point now) const;
  /// True if every voter that responded within election_min has the log up to `last`, or, unless `patient`, if one of
  /// them has. False if none responds.
  bool voters_have_all(const configuration& members, index_t last, bool patient, time_point now) const;

  /// Takes over a report of the peer's replicator; the log ends at `last`. Returns false for a report of an earlier
  /// session, or of a peer that the table does not have.
  bool note(const peer_report& what, index_t last);

  /// The log after this index is kept for peers that are sent a snapshot; `nothing_pinned` if there are none.
  index_t pinned() const;
  /// Takes over what a report says about a snapshot. Returns true if `pinned` may have grown.
  bool note_transfer(const peer_report& what, index_t last);
  /// Stops keeping log that exceeds its limits, and forgets transfers to silent peers. Log up to `compactable` would be
  /// kept without the peers, too.
  std::vector<log_released> release_logs(const log_view& log, index_t compactable, time_point now);
  /// The peers that are catching up from a snapshot.
  std::vector<transfer_status> transfers(const log_view& log, time_point now) const;

 private:
  template <class T> T known(node_id peer, T peer_progress::*what) const {
    const auto* p = find(peer);
    return p ? p->*what : T{};
  }

  options opts_;
  std::map<node_id, peer_progress> peers_;
  /// The first session of new replicators. A peer that left and joins again, perhaps without its disk, gets a new
  /// replicator; responses to the old one must not count for it.
  std::uint64_t first_session_ = 0;
};

} // namespace troupe::raft

// The leader: takes proposals, counts durable copies, confirms reads, and steps down when a majority is silent
// (leader.cpp); changes the members (leader_membership.cpp), keeps its log for peers that catch up from a snapshot
// (leader_catch_up.cpp), and transfers its leadership (leader_transfer.cpp).
#pragma once

#include "raft/catch_up.hpp"
#include "raft/events.hpp"
#include "raft/node_state.hpp"
#include "raft/replicator.hpp"

#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace troupe::raft {

class candidate;

class leader {
 public:
  /// `from` has won the election of its term.
  explicit leader(candidate&& from);

  static constexpr role_kind kind = role_kind::leader;
  /// Appends the no-op that opens the term, and requests a replicator per peer.
  output start(time_point now);
  output step(const event& what, time_point now);
  std::optional<time_point> deadline() const;
  const node_state& state() const noexcept { return state_; }
  node_state release() && { return std::move(state_); }
  node_id leader_hint() const noexcept { return state_.self(); }
  /// When a quorum, including this node, was last known to follow.
  std::optional<time_point> leader_heard() const noexcept { return heard_; }

  /// The seed for a replicator of `peer` that starts now.
  replicator_seed seed_for(node_id peer) const;
  /// Answers a replicator's request from this log, with the entries that are in memory.
  fetched answer(const fetch_request& request) const;
  /// The peers that are catching up from a snapshot.
  std::vector<transfer_status> transfers(time_point now) const;

 private:
  /// What the leader knows about a peer. 0 <= match <= last index. `heard` never falls; `match` and `round` never fall
  /// within a session of the peer's replicator.
  struct progress {
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
  /// A leadership transfer in progress.
  struct pending_transfer {
    tag_t tag = 0;
    node_id target;
    time_point until;
    /// The target was asked to campaign.
    bool asked = false;
  };
  /// `index` and `round` are 0 until the term's first entry is committed.
  struct waiting_read {
    tag_t tag;
    index_t index;
    std::uint64_t round;
  };

  void on(const tick&, time_point now, output& out);
  void on(const rpc& message, time_point now, output& out);
  void on(const propose& what, time_point now, output& out);
  void on(const read_request& what, time_point now, output& out);
  void on(const change_members& what, time_point now, output& out);
  void on(const transfer_leadership& what, time_point now, output& out);
  void on(const persisted& what, time_point now, output& out);
  void on(const peer_report& what, time_point now, output& out);
  void on(const snapshot_stored& what, time_point now, output& out);
  void on(const snapshot_taken& what, time_point now, output& out);
  void on(const disk_space& what, time_point now, output& out);
  void on(const state_missing& what, time_point now, output& out);

  void receive(const vote_request& request, time_point now, output& out);
  void receive(const vote_response& response, time_point now, output& out);
  void receive(const append_request& request, time_point now, output& out);
  void receive(const append_response& response, time_point now, output& out);
  void receive(const snapshot_request& request, time_point now, output& out);
  void receive(const snapshot_response& response, time_point now, output& out);
  void receive(const timeout_now& order, time_point now, output& out);
  void receive(const removed_notice& notice, time_point now, output& out);
  void receive(const removed_answer& answer, time_point now, output& out);

  template <class Request> void receive_from_leader(const Request& request, output& out);
  void append(output& out, entry_kind what, bytes data, std::vector<entry>& batch);
  void check_quorum(time_point now, output& out);
  void advance_commit(time_point now, output& out);
  void admit(waiting_read& read) const;
  void serve_reads(output& out);
  void step_down(output& out, std::optional<rpc> carry);
  /// A leader that cannot apply steps down, but only once every responding voter has its whole log: with a longer log
  /// than theirs, this node would keep voters that can apply from being elected. After 2 x election_max one voter with
  /// the whole log is enough.
  void step_down_if_unable_to_apply(time_point now, output& out);
  void notify_replicators(output& out, std::vector<entry> entries = {});

  std::optional<refusal> cannot_change(const change_members& what) const;
  bool is_heard(node_id id, time_point now) const;
  std::optional<refusal> may_not_commit(const configuration& next, time_point now) const;
  bool may_vote(const promotion& p, const configuration& c, time_point now) const;
  configuration with_promotions(const configuration& c, time_point now) const;
  std::optional<refusal> too_early_to_change() const;
  void append_configuration(const configuration& next, time_point now, output& out);
  void follow_configuration(time_point now, output& out);
  void add_peer(const member& peer, time_point now, output& out);
  void on_configuration_committed(time_point now, output& out);
  void note_pace(progress& p, time_point heard) const;
  void note_transfer(progress& p, const peer_report& what, output& out);
  void review_logs(time_point now, output& out);
  index_t pinned() const;
  bool has_caught_up(node_id id, time_point now) const;
  void promote(time_point now, output& out);
  void drop_silent_leavers(time_point now, output& out);
  void drop(node_id peer, output& out);

  bool others_are_quorum(time_point now) const;
  void transfer_if_disk_stalls(time_point now, output& out);
  node_id best_successor(time_point now) const;
  void transfer_for_room(time_point now, output& out);
  void begin_transfer(tag_t tag, node_id target, time_point now, output& out);
  void ask_successor(output& out);
  void give_up_transfer(output& out);
  void end_transfer(std::optional<refusal> failure, output& out);

  node_state state_;
  std::map<node_id, progress> peers_;
  /// The first session of new replicators. A peer that left and joins again, perhaps without its disk, gets a new
  /// replicator; responses to the old one must not count for it.
  std::uint64_t first_session_ = 0;
  index_t term_start_ = 0;
  /// Index and cost of this term's uncommitted entries, oldest first.
  std::deque<std::pair<index_t, std::size_t>> uncommitted_;
  std::size_t uncommitted_bytes_ = 0;
  /// confirmed_round_ <= round_: the newest read round, and the newest to which a quorum has responded.
  std::uint64_t round_ = 0;
  std::uint64_t confirmed_round_ = 0;
  std::vector<waiting_read> reads_;
  time_point began_;
  std::optional<time_point> heard_;
  std::optional<time_point> check_quorum_at_;
  std::optional<pending_transfer> transfer_;
  /// Set while this node's disk stalls and the other voters are a quorum without it: when to step down at the latest.
  std::optional<time_point> step_down_by_;
  /// Since when this leader is known to be unable to apply.
  std::optional<time_point> unable_to_apply_since_;
};

} // namespace troupe::raft

// The leader: takes proposals, counts durable copies, confirms reads, steps down when a majority is silent
// (leader.cpp); changes the members (leader_membership.cpp), keeps its log for peers that a snapshot brings up
// (leader_catch_up.cpp), and hands its leadership over (leader_transfer.cpp).
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
  /// Appends the no-op that opens the term and asks for a replicator per peer.
  output start(time_point now);
  output step(const event& what, time_point now);
  std::optional<time_point> deadline() const;
  const node_state& state() const noexcept { return state_; }
  node_state release() && { return std::move(state_); }
  node_id leader_hint() const noexcept { return state_.self(); }
  /// When a quorum (this node included) was last known to follow.
  std::optional<time_point> leader_heard() const noexcept { return heard_; }

  /// What a replicator for `peer` is started with, as of now.
  replicator_seed seed_for(node_id peer) const;
  /// Where a replicator's question leads in this log: the answer, with entries as far as they are in memory.
  fetched answer(const fetch_request& request) const;
  /// The peers that are being brought up by a snapshot.
  std::vector<transfer_status> transfers(time_point now) const;

 private:
  /// What the leader keeps of a peer. 0 <= match <= last index; heard only rises, match and round within a session of
  /// the peer's replicator.
  struct progress {
    std::uint64_t session = 0;
    index_t match = 0;
    std::uint64_t round = 0;
    /// Until it has answered, when this leader met it.
    time_point heard;
    bool answered = false;
    bool unfit = false;

    /// A round of catching up began then, and ends when the peer has what the log had at that time (Ongaro's thesis,
    /// section 4.2.1).
    time_point catching_up_since;
    index_t goal = 0;
    /// The last such round took less than an election timeout.
    bool keeps_up = false;
    /// Set while a snapshot brings it up.
    std::optional<catch_up> brought_up;

    /// Not 0: the configuration at this index does not have the peer any more.
    index_t left_at = 0;
    /// Set when that is committed: until then the leader sends it notices.
    std::optional<time_point> told_until;
  };
  /// Leadership on its way to another node.
  struct handover {
    tag_t tag = 0;
    node_id target;
    time_point until;
    /// The target was asked to campaign.
    bool asked = false;
  };
  /// index and round are 0 until the term's first entry is committed.
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

  template <class Request> void meet_other_leader(const Request& request, output& out);
  void append(output& out, entry_kind what, bytes data, std::vector<entry>& batch);
  void check_quorum(time_point now, output& out);
  void advance_commit(time_point now, output& out);
  void admit(waiting_read& read) const;
  void serve_reads(output& out);
  void step_down(output& out, std::optional<rpc> carry);
  /// A leader that cannot apply steps down, but not before every voter that is there has its whole log: with a longer
  /// one than theirs it would keep those from being elected that can. After 2 x election_max one voter with the whole
  /// log suffices.
  void make_way(time_point now, output& out);
  void tell_replicators(output& out, std::vector<entry> entries = {});

  std::optional<refusal> cannot_change(const change_members& what) const;
  bool is_heard(node_id id, time_point now) const;
  std::optional<refusal> may_not_commit(const configuration& next, time_point now) const;
  bool may_vote(const promotion& p, const configuration& c, time_point now) const;
  configuration with_promotions(const configuration& c, time_point now) const;
  std::optional<refusal> too_early_to_change() const;
  void append_configuration(const configuration& next, time_point now, output& out);
  void follow_configuration(time_point now, output& out);
  void meet(const member& peer, time_point now, output& out);
  void on_configuration_committed(time_point now, output& out);
  void note_pace(progress& p, time_point heard) const;
  void note_transfer(progress& p, const peer_report& what, output& out);
  void review_logs(time_point now, output& out);
  index_t pinned() const;
  bool has_caught_up(node_id id, time_point now) const;
  void promote(time_point now, output& out);
  void forget_told(time_point now, output& out);
  void drop(node_id peer, output& out);

  bool others_are_quorum(time_point now) const;
  void flee_stalled_disk(time_point now, output& out);
  node_id best_successor(time_point now) const;
  void seek_room(time_point now, output& out);
  void begin_transfer(tag_t tag, node_id target, time_point now, output& out);
  void urge_successor(output& out);
  void give_up_transfer(output& out);
  void end_transfer(std::optional<refusal> failure, output& out);

  node_state state_;
  std::map<node_id, progress> peers_;
  /// Replicators begin with this session. A peer that left and comes back, perhaps without its disk, has another
  /// replicator: nothing that was said to the first one may count for it.
  std::uint64_t first_session_ = 0;
  index_t term_start_ = 0;
  /// Index and cost of this term's entries that are not committed yet, oldest first.
  std::deque<std::pair<index_t, std::size_t>> uncommitted_;
  std::size_t uncommitted_bytes_ = 0;
  /// confirmed_round_ <= round_: the newest read round opened, and the newest a quorum has answered.
  std::uint64_t round_ = 0;
  std::uint64_t confirmed_round_ = 0;
  std::vector<waiting_read> reads_;
  time_point began_;
  std::optional<time_point> heard_;
  std::optional<time_point> check_quorum_at_;
  std::optional<handover> transfer_;
  /// Set while the own disk stalls and the other voters do without it: leadership ends then at the latest.
  std::optional<time_point> leave_by_;
  /// Since when this leader is known not to be able to apply.
  std::optional<time_point> in_the_way_since_;
};

} // namespace troupe::raft

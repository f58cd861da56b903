// The leader: takes proposals, counts durable copies, confirms reads, changes the members, transfers its leadership,
// and steps down when a majority is silent.
#pragma once

#include "raft/events.hpp"
#include "raft/leadership_transfer.hpp"
#include "raft/node_state.hpp"
#include "raft/peer_table.hpp"
#include "raft/read_index_queue.hpp"
#include "raft/replicator.hpp"

#include <deque>
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
  std::vector<transfer_status> transfers(time_point now) const { return peers_.transfers(state_.log(), now); }

 private:
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
  void serve_reads(output& out);
  void step_down(output& out, std::optional<rpc> carry);
  /// A leader that cannot apply steps down, but only once every responding voter has its whole log: with a longer log
  /// than theirs, this node would keep voters that can apply from being elected. After 2 x election_max one voter with
  /// the whole log is enough.
  void step_down_if_unable_to_apply(time_point now, output& out);
  void notify_replicators(output& out, std::vector<entry> entries = {});

  void append_configuration(const configuration& next, time_point now, output& out);
  void follow_configuration(time_point now, output& out);
  void add_peer(const member& peer, time_point now, output& out);
  void drop_peer(node_id peer, output& out);
  void on_configuration_committed(time_point now, output& out);
  void promote(time_point now, output& out);
  void release_logs(time_point now, output& out);

  bool others_are_quorum(time_point now) const;
  void transfer_if_disk_stalls(time_point now, output& out);
  void transfer_for_room(time_point now, output& out);
  void begin_transfer(tag_t tag, node_id target, time_point now, output& out);
  void ask_successor(output& out);
  void give_up_transfer(output& out);

  node_state state_;
  peer_table peers_;
  read_index_queue reads_;
  leadership_transfer transfer_;
  index_t term_start_ = 0;
  /// Index and cost of this term's uncommitted entries, oldest first.
  std::deque<std::pair<index_t, std::size_t>> uncommitted_;
  std::size_t uncommitted_bytes_ = 0;
  time_point began_;
  std::optional<time_point> heard_;
  std::optional<time_point> check_quorum_at_;
  /// Set while this node's disk stalls and the other voters are a quorum without it: when to step down at the latest.
  std::optional<time_point> step_down_by_;
  /// Since when this leader is known to be unable to apply.
  std::optional<time_point> unable_to_apply_since_;
};

} // namespace troupe::raft

// The judge: stands outside of the nodes, outlives their restarts, and knows what Raft promises (paper, figure 3).
#pragma once

#include "raft/events.hpp"
#include "raft/node_state.hpp"
#include "tests/sim/disk.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::sim {

inline std::string name(raft::node_id id) { return "node " + std::to_string(id.value); }
inline std::string at(raft::index_t index) { return " at index " + std::to_string(index); }

/// Counted by hand: more than half of the voters, and of those that leave.
bool majorities(const raft::configuration& c, const std::function<bool(raft::node_id)>& yes);

/// Every function throws `violation` when a rule is broken.
class checker {
 public:
  explicit checker(bool outcome_only) : outcome_only_(outcome_only) {}

  /// The disks of all nodes by node number, dead or alive; they must outlive this.
  void watch(const std::vector<const disk*>& disks) { disks_ = disks; }

  void on_boot(raft::node_id node, const image& found);
  /// A node became leader of its term.
  void on_leader(const raft::node_state& state, const image& log, raft::duration now);
  /// `before` is the term of the entry right before the first appended one.
  void on_append(raft::term_t before, const raft::write& change);
  /// What leaders may do (checker_leaders.cpp). One of them takes in a read, lets it be served in a step whose output
  /// is not judged yet, is answered by a peer, and has ended a step that its clock asked for without stepping down.
  void on_read_asked(const raft::node_state& state, std::uint64_t read);
  void on_read_served(const raft::node_state& state, std::uint64_t read, const image& log);
  void on_heard(raft::term_t term, raft::node_id peer, raft::duration now);
  void on_still_leading(const raft::node_state& state, const image& log, raft::duration now);
  /// A message leaves for the network.
  void on_send(raft::node_id node, const image& synced, const raft::rpc& message);
  void on_applied(const raft::entry& e);
  /// A node takes itself for removed by the configuration at `index`.
  void on_removed(raft::node_id node, raft::index_t index) const;
  /// A snapshot is on a disk.
  void on_snapshot(const stored_snapshot& made) const;
  /// One that a node has taken itself gets its name: the log on the same disk leads to it.
  void on_own_snapshot(raft::node_id node, const stored_snapshot& made, const disk& own) const;
  /// After each step, with its output carried out.
  void after_step(const raft::node_state& state, raft::role_kind role, const disk& own, raft::duration now);

  std::size_t committed() const noexcept { return committed_.size(); }
  /// Commits by another leader than the one of the commit before.
  std::uint64_t commits_after_change() const noexcept { return commits_after_change_; }
  /// Committed configurations with other voters than the one before, and joint ones.
  std::uint64_t voters_changed() const noexcept { return voters_changed_; }
  std::uint64_t joint_committed() const noexcept { return joint_committed_; }
  /// Reads that were served while a joint configuration was in force.
  std::uint64_t joint_reads() const noexcept { return joint_reads_; }

 private:
  struct committed_entry {
    raft::term_t term = 0;
    raft::entry_kind kind = raft::entry_kind::noop;
    raft::bytes data;
    raft::term_t committed_in = 0;
  };
  struct memory {
    raft::term_t term = 0;         ///< of the running process
    raft::term_t durable_term = 0; ///< ever
    raft::index_t commit = 0;
    raft::index_t durable = 0;
    raft::index_t last = 0; ///< of the log
  };

  /// The newest configuration of a log up to `last`, and its index.
  std::pair<raft::index_t, raft::configuration> newest_configuration(const image& log, raft::index_t last) const;
  raft::configuration in_force(const image& log, raft::index_t last) const {
    return newest_configuration(log, last).second;
  }
  void judge_new_configurations(const raft::node_state& state, raft::role_kind role, const image& log,
                                raft::duration now);
  void count_configuration(const raft::configuration& c);
  void commit(const raft::node_state& state, raft::role_kind role, const image& log);
  void on_vote(raft::node_id voter, raft::term_t term, raft::node_id candidate, const image& synced);
  void on_round(const raft::rpc& message);

  bool outcome_only_;
  std::vector<const disk*> disks_;
  std::map<raft::term_t, raft::node_id> leaders_;
  std::map<std::pair<raft::node_id, raft::term_t>, raft::node_id> votes_;
  /// The newest read round that a node was asked for in a term.
  std::map<std::pair<raft::node_id, raft::term_t>, std::uint64_t> rounds_;
  /// The newest read round that a node has confirmed in a term, and that the leader of a term has sent.
  std::map<std::pair<raft::node_id, raft::term_t>, std::uint64_t> confirmed_;
  std::map<raft::term_t, std::uint64_t> rounds_sent_;
  /// The newest round that had been sent when a read was asked for.
  std::map<std::uint64_t, std::uint64_t> reads_;
  /// When the leader of a term was answered by a peer last, or else when it met it.
  std::map<std::pair<raft::term_t, raft::node_id>, raft::duration> heard_;
  std::map<raft::term_t, raft::duration> began_;
  /// Of this step.
  std::vector<raft::entry> new_configurations_;
  /// committed_[i] is entry i + 1.
  std::vector<committed_entry> committed_;
  /// What stands at (index, term), and the term before it: entries are unique, so logs match.
  std::map<std::pair<raft::index_t, raft::term_t>, std::pair<raft::bytes, raft::term_t>> known_;
  std::map<raft::node_id, memory> nodes_seen_;
  std::uint64_t commits_after_change_ = 0;
  std::uint64_t voters_changed_ = 0;
  std::uint64_t joint_committed_ = 0;
  std::uint64_t joint_reads_ = 0;
  std::vector<raft::member> last_voters_;
};

} // namespace troupe::sim

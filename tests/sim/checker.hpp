// The checker: independent of the nodes, it survives their restarts and checks what Raft guarantees (paper, figure 3).
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

/// True if `yes` holds for more than half of the voters and, if joint, of the outgoing voters. Counts independently of
/// the core.
bool majorities(const raft::configuration& c, const std::function<bool(raft::node_id)>& yes);

/// Every function throws `violation` if a rule is broken.
class checker {
 public:
  explicit checker(bool outcome_only) : outcome_only_(outcome_only) {}

  /// The disks of all nodes by node number, whether the nodes are up or down. They must outlive this object.
  void watch(const std::vector<const disk*>& disks) { disks_ = disks; }

  void on_boot(raft::node_id node, const image& found);
  /// A node became leader of its term.
  void on_leader(const raft::node_state& state, const image& log, raft::duration now);
  /// `before` is the term of the entry before the first appended one.
  void on_append(raft::term_t before, const raft::write& change);
  /// What leaders may do (checker_leaders.cpp). In this order, a leader: accepts a read; serves it in a step whose
  /// output is not checked yet; gets a response from a peer; ends a step that was due by its clock without stepping
  /// down.
  void on_read_asked(const raft::node_state& state, std::uint64_t read);
  void on_read_served(const raft::node_state& state, std::uint64_t read, const image& log);
  void on_heard(raft::term_t term, raft::node_id peer, raft::duration now);
  void on_still_leading(const raft::node_state& state, const image& log, raft::duration now);
  /// A message is sent to the network.
  void on_send(raft::node_id node, const image& synced, const raft::rpc& message);
  void on_applied(const raft::entry& e);
  /// A node considers itself removed by the configuration at `index`.
  void on_removed(raft::node_id node, raft::index_t index) const;
  /// A snapshot is on a disk.
  void on_snapshot(const stored_snapshot& made) const;
  /// A snapshot that a node took itself becomes visible: the log on the same disk must reach it.
  void on_own_snapshot(raft::node_id node, const stored_snapshot& made, const disk& own) const;
  /// After each step, when its output has been carried out.
  void after_step(const raft::node_state& state, raft::role_kind role, const disk& own, raft::duration now);

  std::size_t committed() const noexcept { return committed_.size(); }
  /// Commits by another leader than that of the previous commit.
  std::uint64_t commits_after_change() const noexcept { return commits_after_change_; }
  /// Committed configurations with other voters than the previous one, and joint ones.
  std::uint64_t voters_changed() const noexcept { return voters_changed_; }
  std::uint64_t joint_committed() const noexcept { return joint_committed_; }
  /// Reads served while a joint configuration was in force.
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
    raft::term_t durable_term = 0; ///< highest ever
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
  /// The newest read round that a node was asked to confirm in a term.
  std::map<std::pair<raft::node_id, raft::term_t>, std::uint64_t> rounds_;
  /// The newest read round that a node has confirmed in a term, and the newest that the leader of a term has sent.
  std::map<std::pair<raft::node_id, raft::term_t>, std::uint64_t> confirmed_;
  std::map<raft::term_t, std::uint64_t> rounds_sent_;
  /// The newest round that had been sent when a read was requested.
  std::map<std::uint64_t, std::uint64_t> reads_;
  /// When a peer last responded to the leader of a term; until the first response, when the leader added the peer.
  std::map<std::pair<raft::term_t, raft::node_id>, raft::duration> heard_;
  std::map<raft::term_t, raft::duration> began_;
  /// The configurations that this step appended.
  std::vector<raft::entry> new_configurations_;
  /// committed_[i] is entry i + 1.
  std::vector<committed_entry> committed_;
  /// The data of the entry at (index, term), and the term before it: entries are unique, so logs match.
  std::map<std::pair<raft::index_t, raft::term_t>, std::pair<raft::bytes, raft::term_t>> known_;
  std::map<raft::node_id, memory> nodes_seen_;
  std::uint64_t commits_after_change_ = 0;
  std::uint64_t voters_changed_ = 0;
  std::uint64_t joint_committed_ = 0;
  std::uint64_t joint_reads_ = 0;
  std::vector<raft::member> last_voters_;
};

} // namespace troupe::sim

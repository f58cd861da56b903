// The state that all parts of one simulation share.
#pragma once

#include "raft/base/random.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/role_table.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/scheduler.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::sim {

/// Counts what happened, so that a run in which nothing happened does not pass as good.
struct counters {
  std::uint64_t elections = 0;
  std::uint64_t commits_after_leader_change = 0;
  std::uint64_t conflicting_tails_cut = 0;
  std::uint64_t crashes_with_loss = 0;
  std::uint64_t role_changes_in_flight = 0;
  std::uint64_t reads_refused = 0;
  std::uint64_t reads_delayed = 0;
  std::uint64_t operations = 0;
  std::uint64_t unknown = 0;
  std::uint64_t undecided_keys = 0;
  std::uint64_t fetches_from_disk = 0;
  std::uint64_t snapshots_taken = 0;
  std::uint64_t snapshots_received = 0;
  std::uint64_t compactions = 0;
  std::uint64_t logs_reset = 0;
  std::uint64_t states_lost = 0;
  std::uint64_t restores = 0;
  std::uint64_t backups_missed = 0;
  std::uint64_t leaders_unable_to_apply = 0;
  std::uint64_t proposals_without_room = 0;
  std::uint64_t changes_refused = 0;
  std::uint64_t voters_changed = 0;
  std::uint64_t joint_committed = 0;
  std::uint64_t joint_reads = 0;
  std::uint64_t removal_notices = 0;
  std::uint64_t transfers = 0;
  std::uint64_t transfers_failed = 0;
  std::uint64_t hurried_changes = 0;
  std::uint64_t disks_stopped = 0;
  std::uint64_t leaders_disks_stopped = 0;
  std::uint64_t outages = 0;
  std::uint64_t outages_of_leaders = 0;
  std::uint64_t needed_without_state = 0;
  std::uint64_t late_voters = 0;
  std::uint64_t steps = 0;

  void add(const counters& other);
};

struct counter {
  const char* name;
  std::uint64_t counters::*value;
  /// A run of many seeds in which this is 0 has tested too little.
  bool must_happen = true;
};
/// All counters, in the order in which they are printed.
const std::vector<counter>& all_counters();

/// Every step adds a line. The hash identifies the whole run.
class trace {
 public:
  explicit trace(bool keep_text) : keep_text_(keep_text) {}
  bool keeps_text() const noexcept { return keep_text_; }
  void mix(std::uint64_t value) noexcept { hash_ = raft::prng{hash_ ^ value}.next(); }
  void line(const std::string& text) { text_ += text + '\n'; }
  std::uint64_t hash() const noexcept { return hash_; }
  const std::string& text() const noexcept { return text_; }

 private:
  bool keep_text_;
  std::uint64_t hash_ = 0;
  std::string text_;
};

/// The connections between nodes (numbered from 1): lossy, slow, cut.
class network {
 public:
  network(scheduler& time, raft::prng& random, const scenario& s);

  /// `deliver` is called later, never or, if `may_double`, twice.
  void send(raft::node_id from, raft::node_id to, bool may_double, std::function<void()> deliver);
  void cut(raft::node_id from, raft::node_id to) { blocked_[from.value][to.value] = true; }
  void set_loss(unsigned permille) { loss_ = permille; }
  /// Restores the state that the scenario describes.
  void heal();
  /// From now on no message is lost or late.
  void perfect();

 private:
  scheduler& time_;
  raft::prng& random_;
  const scenario& scenario_;
  unsigned loss_;
  unsigned late_;
  std::vector<std::vector<char>> blocked_;
};

struct world {
  world(const scenario& s, bool keep_trace)
      : what(s), random(s.seed), events(keep_trace), judge(s.outcome_only), net(time, random, what) {}
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  duration between(duration low, duration high) { return random.between(low, high); }
  bool chance(unsigned permille) { return random.next() % 1000 < permille; }

  scenario what;
  scheduler time;
  raft::prng random;
  trace events;
  checker judge;
  role_table table;
  counters seen;
  network net;
  std::uint64_t last_tag = 0;
  /// The slowest write in the availability phase.
  duration slowest_write{0};
  /// Called with each new leader.
  std::function<void(raft::node_id)> on_elected;
  /// The nodes that have a backup, by the value that it restores.
  std::map<std::uint64_t, std::set<raft::node_id>> backups;
};

} // namespace troupe::sim

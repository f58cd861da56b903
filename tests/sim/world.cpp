#include "tests/sim/world.hpp"

namespace troupe::sim {

const std::vector<counter>& all_counters() {
  static const std::vector<counter> all{
      {"elections", &counters::elections},
      {"commits after leader change", &counters::commits_after_leader_change},
      {"conflicting tails truncated", &counters::conflicting_tails_cut},
      {"crashes with unsynced loss", &counters::crashes_with_loss},
      {"role changes, write in flight", &counters::role_changes_in_flight},
      {"reads refused", &counters::reads_refused},
      {"reads delayed", &counters::reads_delayed},
      {"fetches from disk", &counters::fetches_from_disk},
      {"client operations", &counters::operations},
      {"  of unknown outcome", &counters::unknown, false},
      {"registers not decided", &counters::undecided_keys, false},
      {"snapshots taken", &counters::snapshots_taken},
      {"snapshots received", &counters::snapshots_received},
      {"compactions", &counters::compactions},
      {"logs reset to a snapshot", &counters::logs_reset},
      {"states lost", &counters::states_lost},
      {"backups restored", &counters::restores},
      {"  missed by a node", &counters::backups_missed},
      {"leaders unable to apply", &counters::leaders_unable_to_apply},
      {"proposals refused without room", &counters::proposals_without_room},
      {"changes refused, one in progress", &counters::changes_refused},
      {"changes of the voters", &counters::voters_changed},
      {"  joint configurations", &counters::joint_committed},
      {"  reads in them", &counters::joint_reads},
      {"changes requested of new leaders", &counters::hurried_changes},
      {"removal notices", &counters::removal_notices},
      {"transfers done", &counters::transfers},
      {"transfers failed", &counters::transfers_failed},
      {"disks that stopped", &counters::disks_stopped},
      {"  of leaders", &counters::leaders_disks_stopped},
      {"outages of a minority", &counters::outages},
      {"  with the leader in it", &counters::outages_of_leaders},
      {"voters needed without state", &counters::needed_without_state},
      {"voters late, writes going on", &counters::late_voters},
      {"steps", &counters::steps},
  };
  return all;
}

void counters::add(const counters& o) {
  for (const auto& c : all_counters()) this->*c.value += o.*c.value;
}

network::network(scheduler& time, raft::prng& random, const scenario& s)
    : time_(time), random_(random), scenario_(s), loss_(s.loss_permille), late_(s.late_permille),
      blocked_(s.nodes + s.spares + 1, std::vector<char>(s.nodes + s.spares + 1, false)) {}

void network::send(raft::node_id from, raft::node_id to, bool may_double, std::function<void()> deliver) {
  if (blocked_[from.value][to.value] || random_.next() % 1000 < loss_) return;
  const auto delay = [&] {
    const auto stretch = random_.next() % 1000 < late_ ? 50 : 1;
    return random_.between(scenario_.delay_min, scenario_.delay_max * stretch);
  };
  if (may_double && random_.next() % 1000 < scenario_.duplicate_permille) time_.after(delay(), deliver);
  time_.after(delay(), std::move(deliver));
}

void network::heal() {
  loss_ = scenario_.loss_permille;
  for (auto& row : blocked_) row.assign(row.size(), false);
}

void network::perfect() {
  heal();
  loss_ = late_ = 0;
}

} // namespace troupe::sim

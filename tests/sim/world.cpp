#include "tests/sim/world.hpp"

namespace troupe::sim {

void counters::add(const counters& o) {
  elections += o.elections;
  commits_after_leader_change += o.commits_after_leader_change;
  conflicting_tails_cut += o.conflicting_tails_cut;
  crashes_with_loss += o.crashes_with_loss;
  role_changes_in_flight += o.role_changes_in_flight;
  reads_refused += o.reads_refused;
  reads_delayed += o.reads_delayed;
  operations += o.operations;
  unknown += o.unknown;
  undecided_keys += o.undecided_keys;
  fetches_from_disk += o.fetches_from_disk;
  snapshots_taken += o.snapshots_taken;
  snapshots_received += o.snapshots_received;
  compactions += o.compactions;
  logs_reset += o.logs_reset;
  states_lost += o.states_lost;
  restores += o.restores;
  backups_missed += o.backups_missed;
  leaders_made_way += o.leaders_made_way;
  proposals_without_room += o.proposals_without_room;
  changes_refused += o.changes_refused;
  voters_changed += o.voters_changed;
  joint_committed += o.joint_committed;
  removals_told += o.removals_told;
  transfers += o.transfers;
  transfers_failed += o.transfers_failed;
  steps += o.steps;
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

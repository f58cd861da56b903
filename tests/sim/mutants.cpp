#include "tests/sim/mutants.hpp"

namespace troupe::sim {

scenario hostile_scenario(std::uint64_t seed) {
  auto s = draw_scenario(seed);
  s.nodes = 3 + 2 * (seed % 2);
  s.spares = 0;
  s.opts.heartbeat = 30ms;
  s.opts.election_min = 200ms;
  s.opts.election_max = 400ms;
  // One entry per message, so that a leader can crash between any two.
  s.opts.max_append_bytes = 1;
  s.loss_permille = 50;
  s.sync_min = 1ms;
  s.sync_max = 40ms;
  s.delay_max = 20ms;
  s.think_max = 100ms;
  s.client_timeout = 500ms;
  s.faults = {2, 2, 6, 4, 8, 4, 3, 2, 0, 0, 0, 4};
  s.faults.stop_disk = 0;
  s.outages = 0;
  s.fault_pause_min = 10ms;
  s.fault_pause_max = 500ms;
  s.down_min = 1ms;
  s.down_max = 300ms;
  return s;
}

void let_members_matter(scenario& s) {
  s.nodes = 3;
  s.spares = 3;
  s.faults.members = 30;
  s.faults.transfer = 2;
  s.faults.split = 10;
  s.learners_permille = 700;
  s.fall_after_change_permille = 300;
}

namespace {

/// A vote is forgotten only if a node crashes and restarts during the same election.
void let_votes_be_forgotten(scenario& s) {
  s.sync_min = 20ms;
  s.sync_max = 80ms;
  s.faults.crash_any = s.faults.crash_all = 12;
  s.fault_pause_max = 200ms;
  s.down_max = 20ms;
}

/// Snapshots after every few entries, and followers that need those of others.
void let_snapshots_matter(scenario& s) {
  s.snapshot_every = 4;
  s.opts.log_tail = 0;
  s.opts.snapshot_chunk_bytes = 40;
  s.snapshot_takes_max = 300ms;
  s.faults.damage = 8;
}

bool about_snapshots(mutant broken) {
  return broken == mutant::compact_before_snapshot || broken == mutant::install_first_chunk ||
         broken == mutant::keep_conflicting_log || broken == mutant::trust_damaged_snapshot ||
         broken == mutant::restore_without_backup || broken == mutant::snapshot_before_log;
}

/// A cluster that is slow to settle under such faults does not prove a bug.
bool proves_a_bug(const std::string& failure) {
  return failure.rfind("liveness", 0) != 0 && failure != "clients do not get their work done";
}

} // namespace

hunt_result hunt(mutant broken, bool outcome_only) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    auto s = hostile_scenario(seed);
    s.broken = broken;
    s.outcome_only = outcome_only;
    // Snapshots hide the consequences of a bug in the log before they are detected.
    if (about_snapshots(broken))
      let_snapshots_matter(s);
    else
      s.snapshot_every = 0;
    if (broken == mutant::restore_without_backup) s.faults.restore = 8;
    if (broken == mutant::vote_before_persist) let_votes_be_forgotten(s);
    if (broken == mutant::members_rule || broken == mutant::leaders_rule) let_members_matter(s);
    if (broken == mutant::leaders_rule) s.hurried_change_permille = 500;
    if (auto result = run(s); result.failure && proves_a_bug(*result.failure)) return {seed, *result.failure};
  }
  return {};
}

} // namespace troupe::sim

// Many seeds of whole clusters. TROUPE_SIM_SEEDS: how many (300). TROUPE_SIM_SEED: only this one.
// TROUPE_SIM_TRACE=1: print its trace.
#include "tests/sim/cluster.hpp"
#include "tests/sim/seeds.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <iostream>

namespace troupe::sim {
namespace {

void fail(std::uint64_t seed, const run_result& result) {
  FAIL("seed " << seed << ": " << *result.failure << "\nreplay: TROUPE_SIM_SEED=" << seed
               << " TROUPE_SIM_TRACE=1 test_sim_cluster \"whole clusters\"");
}

void print(const counters& c) {
  std::cout << "elections                        " << c.elections << "\ncommits after leader change      "
            << c.commits_after_leader_change << "\nconflicting tails cut            " << c.conflicting_tails_cut
            << "\ncrashes with unsynced loss       " << c.crashes_with_loss << "\nrole changes, write in flight    "
            << c.role_changes_in_flight << "\nreads refused                    " << c.reads_refused
            << "\nreads delayed                    " << c.reads_delayed << "\nfetches from disk                "
            << c.fetches_from_disk << "\nclient operations                " << c.operations
            << "\n  of unknown outcome             " << c.unknown << "\nregisters not decided            "
            << c.undecided_keys << "\nsnapshots taken                  " << c.snapshots_taken
            << "\nsnapshots received               " << c.snapshots_received << "\ncompactions                      "
            << c.compactions << "\nlogs reset to a snapshot         " << c.logs_reset
            << "\nstates lost                      " << c.states_lost << "\nbackups restored                 "
            << c.restores << "\n  missed by a node               " << c.backups_missed
            << "\nleaders that made way            " << c.leaders_made_way << "\nproposals refused without room   "
            << c.proposals_without_room << "\nchanges refused, one under way   " << c.changes_refused
            << "\nchanges of the voters            " << c.voters_changed << "\n  joint configurations           "
            << c.joint_committed << "\nremovals told                    " << c.removals_told
            << "\ntransfers done                   " << c.transfers << "\ntransfers failed                 "
            << c.transfers_failed << "\nsteps                            " << c.steps << '\n';
}

} // namespace

TEST_CASE("whole clusters") {
  if (const auto seed = number_from("TROUPE_SIM_SEED")) {
    const auto result = run(draw_scenario(*seed), number_from("TROUPE_SIM_TRACE").has_value());
    std::cout << result.trace_text;
    if (result.failure) fail(*seed, result);
    return;
  }
  const auto seeds = number_from("TROUPE_SIM_SEEDS").value_or(300);
  const auto began = std::chrono::steady_clock::now();
  counters seen;
  role_table table;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto result = run(draw_scenario(seed));
    if (result.failure) fail(seed, result);
    REQUIRE(result.seen.operations >= 500);
    seen.add(result.seen);
    table.add(result.table);
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::cout << seeds << " seeds in " << took << " s\n";
  print(seen);
  std::cout << table.print();
  CHECK(seen.elections > 0);
  CHECK(seen.commits_after_leader_change > 0);
  CHECK(seen.conflicting_tails_cut > 0);
  CHECK(seen.crashes_with_loss > 0);
  CHECK(seen.role_changes_in_flight > 0);
  CHECK(seen.reads_refused > 0);
  CHECK(seen.reads_delayed > 0);
  CHECK(seen.fetches_from_disk > 0);
  CHECK(seen.snapshots_taken > 0);
  CHECK(seen.snapshots_received > 0);
  CHECK(seen.compactions > 0);
  CHECK(seen.logs_reset > 0);
  CHECK(seen.states_lost > 0);
  CHECK(seen.restores > 0);
  CHECK(seen.backups_missed > 0);
  CHECK(seen.leaders_made_way > 0);
  CHECK(seen.proposals_without_room > 0);
  CHECK(seen.changes_refused > 0);
  CHECK(seen.voters_changed > 0);
  CHECK(seen.joint_committed > 0);
  CHECK(seen.removals_told > 0);
  CHECK(seen.transfers > 0);
  CHECK(seen.transfers_failed > 0);
  CHECK(table.unreached() == std::vector<std::string>{});
}

TEST_CASE("a seed is a trace") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const auto once = run(draw_scenario(seed), true);
    const auto again = run(draw_scenario(seed), true);
    CHECK(once.trace_hash == again.trace_hash);
    CHECK((once.trace_text == again.trace_text && !once.trace_text.empty()));
    CHECK(run(draw_scenario(seed)).trace_hash == once.trace_hash);
  }
}

} // namespace troupe::sim

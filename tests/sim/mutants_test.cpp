// The simulation is worth what it catches: each bug that is put in on purpose must be found.
#include "tests/sim/mutants.hpp"

#include <catch2/catch.hpp>

#include <iostream>

namespace troupe::sim {
namespace {

void must_be_caught(mutant broken, const char* name) {
  const auto caught = hunt(broken);
  INFO(name);
  REQUIRE(caught.seed != 0);
  std::cout << name << ": caught by seed " << caught.seed << ": " << caught.failure << '\n';
}

} // namespace

TEST_CASE("the right protocol passes under the mutants' faults") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    auto s = hostile_scenario(seed);
    if (seed % 2 == 0) let_members_matter(s);
    const auto result = run(s);
    INFO("seed " << seed << ": " << result.failure.value_or(""));
    REQUIRE(!result.failure);
  }
}

TEST_CASE("who looks at the disks sees a broken promise at once") {
  CHECK(hunt(mutant::count_unsynced_copy, false).seed == 1);
  CHECK(hunt(mutant::vote_before_persist, false).seed == 1);
  CHECK(hunt(mutant::snapshot_before_log, false).failure.find("goes beyond the log on its disk") != std::string::npos);
}

TEST_CASE("a leader that counts its unsynced copy is caught") {
  must_be_caught(mutant::count_unsynced_copy, "count the unsynced own copy");
}

TEST_CASE("a vote before it is on disk is caught") {
  must_be_caught(mutant::vote_before_persist, "vote before persist");
}

TEST_CASE("broken snapshots are caught") {
  must_be_caught(mutant::compact_before_snapshot, "compact before the snapshot is on disk");
  must_be_caught(mutant::install_first_piece, "take the first piece for all of a snapshot");
  must_be_caught(mutant::trust_damaged_snapshot, "go on without the state that was lost");
}

TEST_CASE("a node that goes on without the backup that is restored is caught") {
  must_be_caught(mutant::restore_without_backup, "go on without the backup that is restored");
}

TEST_CASE("a read without a round is caught") { must_be_caught(mutant::read_without_round, "read without a round"); }

} // namespace troupe::sim

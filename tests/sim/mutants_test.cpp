// The simulation must detect every deliberate bug.
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

TEST_CASE("the correct protocol passes under the mutants' faults") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    auto s = hostile_scenario(seed);
    if (seed % 2 == 0) let_members_matter(s);
    const auto result = run(s);
    INFO("seed " << seed << ": " << result.failure.value_or(""));
    REQUIRE(!result.failure);
  }
}

TEST_CASE("checking the disks detects a broken promise at once") {
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
  must_be_caught(mutant::install_first_chunk, "consider a snapshot complete after its first chunk");
  must_be_caught(mutant::trust_damaged_snapshot, "continue without the lost state");
}

TEST_CASE("a node that continues without the backup that is restored is caught") {
  must_be_caught(mutant::restore_without_backup, "continue without the backup that is restored");
}

TEST_CASE("a read without a round is caught") { must_be_caught(mutant::read_without_round, "read without a round"); }

} // namespace troupe::sim

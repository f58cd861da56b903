// Linked with a protocol that breaks a rule of membership changes.
#include "tests/sim/mutants.hpp"

#include <catch2/catch.hpp>

#include <iostream>

namespace troupe::sim {

TEST_CASE(TROUPE_MUTANT) {
  const auto caught = hunt(TROUPE_MUTANT_KIND, TROUPE_MUTANT_KIND == mutant::members_rule);
  REQUIRE(caught.seed != 0);
  std::cout << TROUPE_MUTANT ": caught by seed " << caught.seed << ": " << caught.failure << '\n';
}

} // namespace troupe::sim

// Linked with a protocol whose leader commits entries of older terms by counting copies (Raft paper, figure 8).
#include "tests/sim/mutants.hpp"

#include <catch2/catch.hpp>

#include <iostream>

namespace troupe::sim {

TEST_CASE("a leader that commits an older term's entry by counting is caught") {
  const auto caught = hunt(mutant::none);
  REQUIRE(caught.seed != 0);
  std::cout << "commit an older term's entry: caught by seed " << caught.seed << ": " << caught.failure << '\n';
}

} // namespace troupe::sim

// Linked with a protocol whose nodes keep a log that conflicts with the snapshot they install.
#include "tests/sim/mutants.hpp"

#include <catch2/catch.hpp>

#include <iostream>

namespace troupe::sim {

TEST_CASE("a node that keeps a log that conflicts with its snapshot is caught") {
  const auto caught = hunt(mutant::keep_conflicting_log);
  REQUIRE(caught.seed != 0);
  std::cout << "keep a log that conflicts with the snapshot: caught by seed " << caught.seed << ": " << caught.failure
            << '\n';
}

} // namespace troupe::sim

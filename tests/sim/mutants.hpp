// How deliberately broken protocols are hunted: with the same simulation, under faults that suit the bug.
#pragma once

#include "tests/sim/cluster.hpp"

#include <cstdint>
#include <string>

namespace troupe::sim {

/// Faults every few hundred milliseconds, most of them on the leader, and disks that take their time.
scenario hostile_scenario(std::uint64_t seed);

/// Members come and go all the time.
void let_members_matter(scenario& s);

struct hunt_result {
  /// The first seed that caught the mutant; 0 if none of 500 did.
  std::uint64_t seed = 0;
  std::string failure;
};

/// Runs up to 500 seeds. `outcome_only`: judges by what clients saw, who led, what was committed and applied; else also
/// by a look at every disk and message.
hunt_result hunt(mutant broken, bool outcome_only = true);

} // namespace troupe::sim

// Hunts deliberately broken protocols with the same simulation, under faults that suit the bug.
#pragma once

#include "tests/sim/cluster.hpp"

#include <cstdint>
#include <string>

namespace troupe::sim {

/// Faults every few hundred milliseconds, most of them on the leader, and slow disks.
scenario hostile_scenario(std::uint64_t seed);

/// Members are added and removed all the time.
void let_members_matter(scenario& s);

struct hunt_result {
  /// The first seed that caught the mutant; 0 if none of 500 did.
  std::uint64_t seed = 0;
  std::string failure;
};

/// Runs up to 500 seeds. With `outcome_only`, checks only what clients saw, which nodes led, and what was committed and
/// applied; otherwise also every disk and message.
hunt_result hunt(mutant broken, bool outcome_only = true);

} // namespace troupe::sim

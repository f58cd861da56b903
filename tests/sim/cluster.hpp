// One simulated run: a safety phase with faults, then a liveness phase without.
#pragma once

#include "tests/sim/role_table.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/world.hpp"

#include <optional>
#include <string>

namespace troupe::sim {

struct run_result {
  /// What went wrong, if anything did.
  std::optional<std::string> failure;
  counters seen;
  /// The longest that a write took which a connected majority owed, in election timeouts.
  double slowest_write = 0;
  role_table table;
  std::uint64_t trace_hash = 0;
  /// Filled only when asked for.
  std::string trace_text;
};

/// Deterministic: the same scenario gives the same result, trace included, on every machine.
run_result run(const scenario& what, bool keep_trace = false);

} // namespace troupe::sim

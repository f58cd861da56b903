// One simulated run: a safety phase with faults, then a liveness phase without.
#pragma once

#include "tests/sim/role_table.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/world.hpp"

#include <optional>
#include <string>

namespace troupe::sim {

struct run_result {
  /// The violation that ended the run, if any.
  std::optional<std::string> failure;
  counters seen;
  /// The longest time that a write of a connected majority took in the availability phase, in election timeouts.
  double slowest_write = 0;
  role_table table;
  std::uint64_t trace_hash = 0;
  /// Filled only if `keep_trace`.
  std::string trace_text;
};

/// Deterministic: the same scenario gives the same result and trace on every machine.
run_result run(const scenario& what, bool keep_trace = false);

} // namespace troupe::sim

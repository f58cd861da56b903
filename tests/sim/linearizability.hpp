// Linearizability checker: is there a sequential order of the operations, each within its interval, that explains all
// results? (Herlihy and Wing 1990; the search is Wing and Gong's with Lowe's cache of visited states.)
#pragma once

#include "raft/base/types.hpp"
#include "tests/sim/register_machine.hpp"

#include <optional>
#include <vector>

namespace troupe::sim {

/// One client operation on one register. Without a `result` it is unknown whether and when it happened: at any time
/// after `begin`, or never. Operations that surely did not happen are not part of a history.
struct operation {
  command what;
  raft::duration begin{0};
  raft::duration end{0};
  std::optional<answer> result;
};

enum class verdict : std::uint8_t {
  linearizable,
  broken,
  /// The search was abandoned.
  undecided,
};

/// All operations must be on one register. Visits at most `max_states` states.
verdict check_register(std::vector<operation> history, std::size_t max_states = 500'000);

/// The result for a history of many registers: the keys whose part is not linearizable, and the number of undecided
/// ones.
struct history_report {
  std::vector<std::uint32_t> broken_keys;
  std::size_t undecided = 0;
};
history_report check_history(const std::vector<operation>& history);

} // namespace troupe::sim

// Is there an order of these operations, one at a time and within their intervals, that explains every answer?
// (Herlihy and Wing 1990; the search is Wing and Gong's with Lowe's cache of visited states.)
#pragma once

#include "raft/base/types.hpp"
#include "tests/sim/register_machine.hpp"

#include <optional>
#include <vector>

namespace troupe::sim {

/// One client operation on one register. Without `result` nobody knows whether or when it happened: any time after
/// `begin`, or never. Operations that surely did not happen are not part of a history.
struct operation {
  command what;
  raft::duration begin{0};
  raft::duration end{0};
  std::optional<answer> result;
};

enum class verdict : std::uint8_t {
  linearizable,
  broken,
  /// The search was given up.
  undecided,
};

/// Operations must all be of one register. Visits at most `max_states` states.
verdict check_register(std::vector<operation> history, std::size_t max_states = 500'000);

/// Splits a history by register; the keys whose part is not linearizable, and how many were undecided.
struct history_report {
  std::vector<std::uint32_t> broken_keys;
  std::size_t undecided = 0;
};
history_report check_history(const std::vector<operation>& history);

} // namespace troupe::sim

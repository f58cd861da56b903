// Closed-loop callers of the map service: each asks again as soon as it is answered.
#pragma once

#include "actors/caf.hpp"
#include "actors/frontend/front.hpp"
#include "services/map/map_service.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace troupe::load {

struct job {
  /// Puts of values under random keys, or linearizable gets.
  bool write = true;
  std::size_t callers = 1;
  std::chrono::milliseconds lasts{1000};
  std::size_t bytes = 256;
  std::string map = "bench";
};

/// Runs the callers to their end and tells what they saw, as one line of JSON: {"operations", "failed", "seconds",
/// "p50_us", "p99_us", "max_us"}. Blocks.
std::string run(caf::actor_system& system, const service_actor<map_service>& map, const job& work);

} // namespace troupe::load

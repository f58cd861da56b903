// Closed-loop callers of the map service: each sends its next request as soon as the last one is answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <troupe/service_actor.hpp>
#include <troupe/services/map.hpp>

namespace troupe::load {

struct job {
  /// True for puts under random keys, false for linearizable gets.
  bool write = true;
  std::size_t callers = 1;
  std::chrono::milliseconds lasts{1000};
  std::size_t bytes = 256;
  std::string map = "bench";
};

/// Runs the callers and blocks until they are done. Returns their results as one line of JSON: {"operations", "failed",
/// "seconds", "p50_us", "p99_us", "max_us"}.
std::string run(caf::actor_system& system, const service_actor<map_service>& map, const job& work);

} // namespace troupe::load

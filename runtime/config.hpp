// A CAF configuration for systems that run Troupe: its message types, and settings measured for latency.
#pragma once

#include "actors/caf.hpp"

#include <functional>
#include <set>
#include <string>

namespace troupe {

/// Use it, or derive from it, for every actor system that spawns a node or a client. Options of the command line may
/// change the settings afterwards, as with any CAF configuration.
///
/// The settings and why: a work-sharing scheduler with one worker and no separate worker for the network's utility
/// actors keep a request on few threads: 102-116 us for a round trip against 271-284 us with CAF's defaults, on two
/// cores (docs/performance.md). The network layer's heartbeats tell the transport that the other side is there; it cuts
/// a connection that is silent for most of a second.
class config : public caf::actor_system_config {
 public:
  config();
};

/// The names of the messages that cross the network.
std::set<std::string, std::less<>> wire_message_names();

} // namespace troupe

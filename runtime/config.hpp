// A CAF configuration for systems that run Troupe: its message types, and settings measured for latency.
#pragma once

#include "actors/caf.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

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
  /// What the nodes and clients of each system that is made with this share.
  class network_registry;
  network_registry& networks() const noexcept { return *networks_; }

 private:
  std::shared_ptr<network_registry> networks_;
};

/// The messages that cross the network, by name, with what tells whether bytes are one of them.
using wire_checks = std::map<std::string, bool (*)(std::string_view), std::less<>>;
wire_checks wire_messages();

} // namespace troupe

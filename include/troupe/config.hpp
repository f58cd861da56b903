// The CAF configuration of an actor system that runs Troupe.
#pragma once

#include <caf/actor_system_config.hpp>
#include <memory>

namespace troupe {

/// Use it, or derive from it, for every actor system that spawns a node or a client. It registers Troupe's messages and
/// sets what was measured to give low latency; options of the command line may change the settings afterwards, as with
/// any CAF configuration.
///
/// The settings: a work-sharing scheduler with one worker and no separate worker for the network's utility actors keeps
/// a request on few threads: 102-116 us for a round trip against 271-284 us with CAF's defaults, on two cores
/// (docs/performance.md). The network layer's heartbeats tell the transport that the peer is alive; it closes a
/// connection that is silent for most of a second.
class config : public caf::actor_system_config {
 public:
  config();
  /// What the nodes and clients of each system that is made with this configuration share. Internal.
  class network_registry;
  network_registry& networks() const noexcept { return *networks_; }

 private:
  std::shared_ptr<network_registry> networks_;
};

} // namespace troupe

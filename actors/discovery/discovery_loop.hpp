// The interface of a discovery method: an actor that reports the addresses it finds.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <string>

namespace troupe {

/// Asks for the current view again.
struct report_peers {};
using discovery_handle = compat::handle<void(report_peers)>;

/// A discovery method. Implement it to add your own. `spawn` starts an actor that sends `listener` a peers_changed,
/// with `name()` as source and the addresses of all nodes that it sees (this node may be among them): once at its
/// start, whenever they change, and on report_peers. The actor must not block; run blocking code on another thread. An
/// empty view asserts that there are no peers, so a method that does not know sends nothing. A method that announces
/// this node gets the node's identity by sending `listener` a watch_peers.
class peer_source {
 public:
  virtual ~peer_source() = default;
  virtual std::string name() const = 0;
  virtual discovery_handle spawn(caf::actor_system& system, peers_listener listener) = 0;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::report_peers);

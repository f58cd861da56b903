// How a discovery method joins in: an actor that reports what it sees.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <string>

namespace troupe {

/// Asks for the present view again.
struct report_peers {};
using discovery_handle = compat::handle<void(report_peers)>;

/// A discovery method. Implement it to add one of your own: `spawn` starts an actor that sends `listener` a
/// peers_changed, with `name()` as source and the addresses of all nodes it sees (this one may be among them), once at
/// its start, whenever they change, and on report_peers. It must not block; whatever blocks belongs on a thread of its
/// own. An empty view means "nobody is there", so a method that cannot tell sends nothing. A method that tells others
/// of this node learns what that is by sending `listener` a watch_peers.
class peer_source {
 public:
  virtual ~peer_source() = default;
  virtual std::string name() const = 0;
  virtual discovery_handle spawn(caf::actor_system& system, peers_listener listener) = 0;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::report_peers);

// What the health monitor tells and asks, inside one process. Who takes which is said in interfaces.hpp.
#pragma once

#include "actors/protocol/messages.hpp"
#include "raft/membership/health.hpp"

#include <vector>

namespace troupe {

/// To links: probes and their answers, each to the node that it names.
struct health_batch {
  std::vector<raft::health_message> messages;
};
/// What the monitor finds; answered and sent for the members of the newest configuration but this node.
struct get_health {};
struct health_report {
  std::vector<raft::peer_health> peers;
};
struct health_changed {
  node_id peer;
  raft::peer_state now = raft::peer_state::alive;
};

} // namespace troupe

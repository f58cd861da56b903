// The messages of the health monitor, inside one process. interfaces.hpp says which actor receives which message.
#pragma once

#include "actors/protocol/messages.hpp"
#include "raft/membership/health.hpp"

#include <vector>

namespace troupe {

/// To links: probes and their answers. Each goes to the node that it names.
struct health_batch {
  std::vector<raft::health_message> messages;
};
/// Asks for a health_report. Reports and health_changed cover the members of the newest configuration but this node.
struct get_health {};
struct health_report {
  std::vector<raft::peer_health> peers;
};
struct health_changed {
  node_id peer;
  raft::peer_state now = raft::peer_state::alive;
};

} // namespace troupe

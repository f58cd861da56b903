// Formats protocol values as short text for traces.
#pragma once

#include "raft/events.hpp"

#include <string>

namespace troupe::sim {

std::string describe(const raft::rpc& message);
std::string describe(const raft::write& change);
std::string describe(const raft::snapshot_id& id);
std::string describe(const std::vector<raft::entry>& entries);
std::string describe(const raft::configuration& c);
std::string describe(raft::refusal why);

} // namespace troupe::sim

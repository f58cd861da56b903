// The options of the protocol, as raft/ calls them.
#pragma once

#include "raft/base/types.hpp"

#include <troupe/cluster_options.hpp>

namespace troupe::raft {

using namespace std::chrono_literals;

using options = raft_options;
using troupe::objection;

} // namespace troupe::raft

// Derives cluster events from configurations.
#pragma once

#include "raft/entry.hpp"

#include <troupe/events.hpp>
#include <vector>

namespace troupe {

/// Returns the events between two successive configurations, the second one at index `at`.
std::vector<cluster_event> member_events(const raft::configuration& before, const raft::configuration& after,
                                         index_t at);

} // namespace troupe

// Introductions let fresh nodes with different views find each other. Each node reports to its linked peers the other
// linked nodes that do not belong to a cluster yet, and dials the nodes that are reported to it.
//
// A node reports only its own established links, never what was reported to it. A node that is gone is therefore
// forgotten as soon as its peers notice, and stale reports do not circulate. All nodes that are connected by a chain of
// links come to see the same set.
#pragma once

#include "raft/membership/formation.hpp"

#include <cstddef>
#include <vector>

namespace troupe::raft {

/// The maximum of nodes that a node introduces to others, and that it accepts from all others together.
inline constexpr std::size_t max_introduced = 64;

/// The nodes that a node introduces: its linked peers without a cluster, sorted by id, at most max_introduced. Empty
/// once the node itself belongs to a cluster.
std::vector<member> introductions(membership_state self, const std::vector<sighted_peer>& linked);

/// The nodes that are introduced to `self` by linked peers without a cluster, and are not linked to it: sorted by id,
/// at most max_introduced. Nodes with invalid addresses are skipped.
std::vector<member> introduced_to(node_id self, const std::vector<sighted_peer>& linked);

} // namespace troupe::raft

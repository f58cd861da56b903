// How fresh nodes whose views differ come to see each other: each tells the nodes that it is linked to which others it
// is linked to that belong to no cluster yet, and dials those of whom it is told.
//
// Only links that are up are told of, never what was told: a node that is gone is forgotten as soon as the nodes that
// saw it notice, and no rumour keeps itself alive. Nodes that reach each other, by whatever chain of links, thus come
// to see the same set.
#pragma once

#include "raft/membership/formation.hpp"

#include <cstddef>
#include <vector>

namespace troupe::raft {

/// Nodes that one node introduces to others; also how many it takes from others in all.
inline constexpr std::size_t max_introduced = 64;

/// Whom a node introduces: of those linked to it the ones without a cluster, by id, the first max_introduced. None once
/// it belongs to a cluster itself.
std::vector<member> introductions(membership_state self, const std::vector<sighted_peer>& linked);

/// Who is introduced by those linked to `self` that have no cluster, and is not linked to it: by id, the first
/// max_introduced. Of bad addresses nothing is taken.
std::vector<member> introduced_to(node_id self, const std::vector<sighted_peer>& linked);

} // namespace troupe::raft

// The discovery actors of a node, from what `--discovery` says and from what its user adds.
#pragma once

#include "actors/discovery/discovery_loop.hpp"
#include "discovery/spec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace troupe {

using peer_sources = std::vector<std::shared_ptr<peer_source>>;

/// The methods of the specification, then the user's own. Throws std::invalid_argument if two have the same name.
peer_sources make_sources(const discovery_spec& spec, const peer_sources& own, std::uint64_t seed);

/// With how many nodes a node forms a cluster that was not told: as many as are listed if that is all there is, alone
/// without discovery, never where addresses come and go.
struct expected_nodes {
  /// As in raft::bootstrap_rule.
  std::optional<std::size_t> rule;
  /// How many there should be; 0: not known.
  std::size_t members = 0;
};
expected_nodes expect_by_default(const discovery_spec& spec, const peer_sources& own);

/// Whether a leader that was not told removes members that are dead for long: where machines come and go by themselves.
bool removes_by_default(const discovery_spec& spec);

} // namespace troupe

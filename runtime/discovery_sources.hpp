// Makes the discovery sources of a node from `--discovery` and from those that its user adds.
#pragma once

#include "discovery/spec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <troupe/discovery.hpp>
#include <vector>

namespace troupe {

using peer_sources = std::vector<std::shared_ptr<peer_source>>;

/// The methods of the specification, then the user's own. Throws std::invalid_argument if two have the same name.
peer_sources make_sources(const discovery_spec& spec, const peer_sources& own, std::uint64_t seed);

/// How many nodes form a cluster if the option is not set: all listed nodes if a static list is the only source; one
/// without discovery; with dynamic addresses a node never forms a cluster by itself.
struct expected_nodes {
  /// As in raft::bootstrap_rule.
  std::optional<std::size_t> rule;
  /// How many nodes there should be; 0 if unknown.
  std::size_t members = 0;
};
expected_nodes expect_by_default(const discovery_spec& spec, const peer_sources& own);

/// Whether a leader removes long-dead members if the option is not set: true where machines come and go by themselves.
bool removes_by_default(const discovery_spec& spec);

} // namespace troupe

// One type for the three roles, for code that runs a node without actors: tests and the simulation.
#pragma once

#include "raft/candidate.hpp"
#include "raft/follower.hpp"
#include "raft/leader.hpp"

#include <variant>

namespace troupe::raft {

using role = std::variant<follower, candidate, leader>;

/// Turns `from` into the role `to`; `from` is consumed. Throws std::logic_error if Raft has no such transition.
role become(role&& from, role_kind to);

inline const node_state& state_of(const role& r) {
  return std::visit([](const auto& x) -> const node_state& { return x.state(); }, r);
}
inline role_kind kind_of(const role& r) {
  return std::visit([](const auto& x) { return std::decay_t<decltype(x)>::kind; }, r);
}

} // namespace troupe::raft

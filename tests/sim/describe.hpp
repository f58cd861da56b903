// Formats protocol values as short text for traces: raft/describe.hpp in the style of tests.
#pragma once

#include "raft/describe.hpp"

#include <string>
#include <vector>

namespace troupe::sim {

inline std::string describe(const raft::rpc& message) { return raft::describe(message, raft::text_style::test); }
inline std::string describe(const std::vector<raft::entry>& entries) {
  return raft::describe(entries, raft::text_style::test);
}

} // namespace troupe::sim

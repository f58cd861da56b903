// Ends a long read early when its result is no longer needed.
#pragma once

#include "raft/storage.hpp"

#include <stop_token>

namespace troupe {

/// Throws `raft::reading_stopped` if a stop was requested. Call it between records.
inline void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw raft::reading_stopped{};
}

} // namespace troupe

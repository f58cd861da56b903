// How the reading of gigabytes ends early, when its result is not needed any more.
#pragma once

#include "raft/storage.hpp"

#include <stop_token>

namespace troupe {

/// To be called between records. Throws raft::reading_stopped.
inline void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw raft::reading_stopped{};
}

} // namespace troupe

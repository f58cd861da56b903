// How methods wait, so that they are woken when they are to stop.
#pragma once

#include "raft/base/types.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace troupe {

/// Waits, unless it is time to stop: then gives false at once.
inline bool pause_for(const std::stop_token& stop, raft::duration time) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock{mutex};
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

} // namespace troupe

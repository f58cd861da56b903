// A pause that a stop request interrupts.
#pragma once

#include "raft/base/types.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace troupe {

/// Waits for `time`. Returns false at once when a stop is requested.
inline bool pause_for(const std::stop_token& stop, raft::duration time) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock{mutex};
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

} // namespace troupe

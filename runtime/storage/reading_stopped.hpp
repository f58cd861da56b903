// How the reading of gigabytes ends early, when its result is not needed any more.
#pragma once

#include "raft/storage.hpp"

#include <stop_token>

namespace troupe {

/// A stop was requested. Nothing is wrong with the disk, and opening it again finds everything.
class reading_stopped : public raft::storage_error {
 public:
  reading_stopped() : raft::storage_error("the reading of the disk was stopped") {}
};

/// To be called between records. Throws reading_stopped.
inline void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw reading_stopped{};
}

} // namespace troupe

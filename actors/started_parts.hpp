// Ends the actors of an unfinished start: they are spawned one by one, and a later step may fail.
#pragma once

#include "actors/caf.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <vector>

namespace troupe {

/// The destructor ends the actors and waits for them, unless `keep` was called. For use by one thread, which must not
/// run an actor.
class started_parts {
 public:
  /// The destructor waits for all the actors together for at most `patience`.
  explicit started_parts(caf::actor_system& system, std::chrono::milliseconds patience = std::chrono::seconds{2})
      : system_(system), patience_(patience) {}
  started_parts(const started_parts&) = delete;
  started_parts& operator=(const started_parts&) = delete;
  ~started_parts();

  template <class Handle> Handle add(Handle part) {
    parts_.push_back(caf::actor_cast<caf::actor>(part));
    return part;
  }
  /// The start is complete: the actors live on.
  void keep() noexcept { parts_.clear(); }

 private:
  caf::actor_system& system_;
  std::chrono::milliseconds patience_;
  std::vector<caf::actor> parts_;
};

} // namespace troupe

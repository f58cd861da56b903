// Actors that are spawned one by one for something larger, which may fail before it has all of them.
#pragma once

#include "actors/caf.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <vector>

namespace troupe {

/// Ends the actors unless `keep` is called. Used by one thread, which is no actor's.
class started_parts {
 public:
  /// All the actors together are waited for at most as long as `patience`.
  explicit started_parts(caf::actor_system& system, std::chrono::milliseconds patience = std::chrono::seconds{2})
      : system_(system), patience_(patience) {}
  started_parts(const started_parts&) = delete;
  started_parts& operator=(const started_parts&) = delete;
  ~started_parts();

  template <class Handle> Handle add(Handle part) {
    parts_.push_back(caf::actor_cast<caf::actor>(part));
    return part;
  }
  /// All is there: the actors live on.
  void keep() noexcept { parts_.clear(); }

 private:
  caf::actor_system& system_;
  std::chrono::milliseconds patience_;
  std::vector<caf::actor> parts_;
};

} // namespace troupe

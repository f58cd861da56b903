// Whether an actor can have a thread of its own. CAF counts a detached actor before it starts its thread: where that
// fails, spawn throws, the actor is never freed, and the actor system waits for it for ever when it ends. So this is
// asked first.
#pragma once

#include <caf/actor_system.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// Starts so many threads and ends them again. Why that is not possible now, which passes by itself; empty if it is.
std::string why_no_threads(std::size_t count);

/// The process cannot start a thread for now. Nothing was spawned.
class no_thread : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Spawns an actor with a thread of its own. Throws no_thread.
template <class Actor, class... Args> auto spawn_with_thread(caf::actor_system& system, Args&&... args) {
  if (const auto why = why_no_threads(1); !why.empty()) throw no_thread(why);
  return system.spawn<Actor, caf::detached>(std::forward<Args>(args)...);
}

} // namespace troupe

// Spawns actors that have a thread of their own. CAF counts a detached actor before it starts its thread: if that
// fails, spawn throws, the actor is never freed, and the destructor of the actor system waits for it forever. So these
// functions check first that a thread can be started.
#pragma once

#include <caf/actor_system.hpp>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// Starts `count` threads and ends them again. Another thread_check in this process waits until this object is
/// destroyed, so keep it until your own threads are started. Threads that are started without a check (by libraries, by
/// other processes of the user) may still take what was available. Not reentrant.
class thread_check {
 public:
  explicit thread_check(std::size_t count);
  /// Why the threads could not be started, which is a temporary error; empty if they could.
  const std::string& objection() const noexcept { return objection_; }

 private:
  std::unique_lock<std::mutex> turn_;
  std::string objection_;
};

/// The process cannot start a thread at the moment. Nothing was spawned.
class no_thread : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Spawns an actor with a thread of its own. Throws no_thread.
template <class Actor, class... Args> auto spawn_with_thread(caf::actor_system& system, Args&&... args) {
  const thread_check check{1};
  if (!check.objection().empty()) throw no_thread(check.objection());
  return system.spawn<Actor, caf::detached>(std::forward<Args>(args)...);
}

} // namespace troupe

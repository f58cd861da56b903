// Checks whether a detached actor can get its thread. CAF counts a detached actor before it starts the thread. If the
// thread cannot be started, spawn throws, the actor is never freed, and the actor system waits for it forever at
// shutdown. So check first.
#pragma once

#include <caf/actor_system.hpp>

#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// Starts `count` threads and ends them again; does nothing for 0. The next thread_check in this process waits until
/// this object is destroyed, so keep it until your own threads are started. Threads that are started without a check
/// (by libraries, or by other processes of the user) may still use up the limit in between. Not reentrant.
class thread_check {
 public:
  explicit thread_check(std::size_t count);
  /// Why the threads cannot be started now; empty if they can. The condition is temporary.
  const std::string& objection() const noexcept { return objection_; }

 private:
  std::unique_lock<std::mutex> turn_;
  std::string objection_;
};

/// The process cannot start a thread now. Nothing was spawned.
class no_thread : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Spawns a detached actor. Throws no_thread.
template <class Actor, class... Args> auto spawn_with_thread(caf::actor_system& system, Args&&... args) {
  const thread_check check{1};
  if (!check.objection().empty()) throw no_thread(check.objection());
  return system.spawn<Actor, caf::detached>(std::forward<Args>(args)...);
}

} // namespace troupe

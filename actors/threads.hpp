// Whether an actor can have a thread of its own. CAF counts a detached actor before it starts its thread: where that
// fails, spawn throws, the actor is never freed, and the actor system waits for it for ever when it ends. So this is
// asked first.
#pragma once

#include <caf/actor_system.hpp>

#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// Starts so many threads and ends them again; nothing for 0. Whoever asks next in this process waits until this object
/// ends, so keep it until your own threads are started. Threads that are started without this question (by libraries,
/// by other processes of the user) may still take what was there in between. Not reentrant.
class thread_check {
 public:
  explicit thread_check(std::size_t count);
  /// Why that is not possible now, which passes by itself; empty if it is.
  const std::string& objection() const noexcept { return objection_; }

 private:
  std::unique_lock<std::mutex> turn_;
  std::string objection_;
};

/// The process cannot start a thread for now. Nothing was spawned.
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

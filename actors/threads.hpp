// Whether an actor can have a thread of its own. CAF counts a detached actor before it starts its thread: where that
// fails, spawn throws, the actor is never freed, and the actor system waits for it for ever when it ends. So this is
// asked first.
#pragma once

#include <cstddef>
#include <string>

namespace troupe {

/// Starts so many threads and ends them again. Why that is not possible now, which passes by itself; empty if it is.
std::string why_no_threads(std::size_t count);

} // namespace troupe

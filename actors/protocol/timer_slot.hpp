// One armed timer per actor. Delayed messages cannot be cancelled, so a generation number identifies late ones.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <optional>

namespace troupe {

/// Keeps at most one valid timer message of an actor. A deadline that moves later costs nothing: the armed timer fires
/// early, and the actor arms it again.
class timer_slot {
 public:
  /// Ensures that `self` receives a `timer` at `deadline` or before.
  template <class Self> void arm(Self* self, std::optional<raft::time_point> deadline) {
    if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
    armed_for_ = deadline;
    const auto now = self->clock().now();
    const auto wait = *deadline > now ? *deadline - now : raft::duration{0};
    self->delayed_send(self, wait, timer{++generation_});
  }
  /// Returns true for the message of the armed timer, and disarms it.
  bool fired(const timer& message) {
    if (message.generation != generation_) return false;
    armed_for_.reset();
    return true;
  }

 private:
  std::uint64_t generation_ = 0;
  std::optional<raft::time_point> armed_for_;
};

} // namespace troupe

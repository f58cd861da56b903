// One armed timer per actor: delayed messages cannot be taken back, so late ones are told apart by a generation.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <optional>

namespace troupe {

/// Keeps at most one timer message of an actor alive that matters. A deadline that moves later costs nothing: the armed
/// timer fires early and is set anew.
class timer_slot {
 public:
  /// Makes sure that `self` gets a `timer` at `deadline` or before.
  template <class Self> void arm(Self* self, std::optional<raft::time_point> deadline) {
    if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
    armed_for_ = deadline;
    const auto now = self->clock().now();
    const auto wait = *deadline > now ? *deadline - now : raft::duration{0};
    self->delayed_send(self, wait, timer{++generation_});
  }
  /// True for the armed timer's message, which is then no longer armed.
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

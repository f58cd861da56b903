// What happens to a transport's connections, counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::net {

enum class incident : std::size_t {
  accepted,         ///< came through its opening
  dialed,           ///< the same, at the end that dialed
  refused_by_limit, ///< turned away, or pushed out of its opening, for there were too many
  opening_failed,   ///< no TLS, no certificate that is trusted, no secret, too slow, something else altogether
  violation,        ///< closed for what nobody who means well sends
  identity_refused, ///< closed, as it claimed to be a node that is connected already
  message_dropped,  ///< a message was left out that nobody here waits for
  held_back,        ///< was not read for a while, as the actors were behind with what it had sent
  cut_silent,       ///< nothing was heard of it, or of the actor behind it
  cut_unintroduced, ///< did not say who it is in time
  cut_for_memory    ///< more waited to be sent, or to be completed, than may
};
inline constexpr std::size_t incident_kinds = static_cast<std::size_t>(incident::cut_for_memory) + 1;
/// In snake case.
const char* to_string(incident what);

/// How often each happened since the first transport of the actor system began.
using incident_counts = std::array<std::uint64_t, incident_kinds>;

/// Thread-safe.
class incident_counter {
 public:
  void note(incident what) noexcept { counts_[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed); }
  incident_counts all() const noexcept {
    incident_counts now{};
    for (std::size_t i = 0; i < incident_kinds; ++i) now[i] = counts_[i].load(std::memory_order_relaxed);
    return now;
  }

 private:
  std::array<std::atomic<std::uint64_t>, incident_kinds> counts_{};
};

} // namespace troupe::net

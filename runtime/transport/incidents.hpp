// Counts what happens to a transport's connections.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::net {

enum class incident : std::size_t {
  accepted,         ///< an accepted connection completed its opening
  dialed,           ///< a dialed connection completed its opening
  refused_by_limit, ///< refused, or displaced during its opening, because there were too many
  opening_failed,   ///< no TLS, no trusted certificate, no secret, too slow, another protocol, ...
  violation,        ///< closed for a violation of the protocol
  identity_refused, ///< closed because it claimed to be a node that is already connected
  message_dropped,  ///< skipped a message that no actor here expects
  held_back,        ///< not read for a while because the actors were behind with its messages
  cut_silent,       ///< the connection, or the endpoint behind it, was silent for too long
  cut_unintroduced, ///< sent no CAF handshake in time
  cut_for_memory    ///< too many bytes waited to be sent, or were in unfinished frames
};
inline constexpr std::size_t incident_kinds = static_cast<std::size_t>(incident::cut_for_memory) + 1;
/// The name in snake case, as in the status.
const char* to_string(incident what);

/// How often each incident happened since the first transport of the actor system started.
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

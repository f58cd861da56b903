// Cuts silent connections. BASP sends heartbeats on every connection, so a silent peer is gone.
#pragma once

#include "runtime/transport/connection_liveness.hpp"
#include "runtime/transport/incidents.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::net {

/// Thread-safe.
class watchdog {
 public:
  void add(std::shared_ptr<connection_liveness> one);
  struct count {
    std::size_t all = 0;
    std::size_t of_network = 0;
  };
  /// Counts the open connections, and those with this network (see network_of).
  count open(const std::string& network) const;

  /// Time limit from the end of the opening to the CAF handshake.
  static constexpr std::chrono::seconds introduction_limit{5};

  struct cut {
    std::string peer;
    /// cut_silent or cut_unintroduced.
    incident why = incident::cut_silent;
  };
  /// Call this every `pace`, from one thread or several. Returns the connections that it cut. If this process itself
  /// was paused for a while, that time does not count as silence.
  std::vector<cut> poll(steady_time now);
  static constexpr std::chrono::milliseconds pace{100};

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<connection_liveness>> all_;
  steady_time polled_at_{};
  /// End of the last pause of this process. Silence before it does not count.
  steady_time awake_since_{};
};

} // namespace troupe::net

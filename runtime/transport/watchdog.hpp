// Cuts connections that have fallen silent: BASP sends heartbeats on every one, so silence is a peer that is gone.
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
  /// Open connections, and those of them with this network (see network_of).
  count open(const std::string& network) const;

  /// From the end of its opening to its introduction.
  static constexpr std::chrono::seconds introduction_limit{5};

  struct cut {
    std::string peer;
    /// cut_silent or cut_unintroduced.
    incident why = incident::cut_silent;
  };
  /// To be called every `pace`, by one thread or several; returns what it cut. When this process itself was stopped for
  /// a while, no peer is blamed for it.
  std::vector<cut> look(steady_time now);
  static constexpr std::chrono::milliseconds pace{100};

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<connection_liveness>> all_;
  steady_time looked_at_{};
  /// No peer was heard before this, as this process did not listen.
  steady_time awake_since_{};
};

} // namespace troupe::net

// What a node tells of its connections.
#pragma once

#include "runtime/transport/incidents.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace troupe::net {

/// For people who look after a node. Connections are those of the whole actor system.
struct transport_status {
  incident_counts incidents{};
  std::size_t open_connections = 0;
  /// When the own certificate expires; not set without TLS.
  std::optional<std::chrono::system_clock::time_point> certificate_end;
};

} // namespace troupe::net

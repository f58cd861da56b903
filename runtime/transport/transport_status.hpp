// What a node's status says about its connections.
#pragma once

#include "runtime/transport/incidents.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace troupe::net {

/// For operators. The connections are those of the whole actor system.
struct transport_status {
  incident_counts incidents{};
  std::size_t open_connections = 0;
  /// When this process's certificate expires. Without a value if TLS is off.
  std::optional<std::chrono::system_clock::time_point> certificate_end;
};

} // namespace troupe::net

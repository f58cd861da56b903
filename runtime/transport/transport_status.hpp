// What a node's status says about its connections.
#pragma once

#include "runtime/transport/incidents.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <troupe/status.hpp>

namespace troupe::net {

/// For operators. The connections are those of the whole actor system.
struct transport_status {
  incident_counts incidents{};
  std::size_t open_connections = 0;
  /// When this process's certificate expires. Without a value if TLS is off.
  std::optional<std::chrono::system_clock::time_point> certificate_end;
};

/// The same as users see it: each kind of incident by its name, also those that did not happen.
network_status to_network_status(const transport_status& status);

} // namespace troupe::net

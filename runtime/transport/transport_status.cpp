#include "runtime/transport/transport_status.hpp"

namespace troupe::net {

network_status to_network_status(const transport_status& status) {
  network_status out{status.open_connections, status.certificate_end, {}};
  for (std::size_t i = 0; i < incident_kinds; ++i)
    out.incidents.emplace_back(to_string(static_cast<incident>(i)), status.incidents[i]);
  return out;
}

} // namespace troupe::net

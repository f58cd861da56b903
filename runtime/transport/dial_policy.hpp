// Where a process may connect to. Addresses come from strangers as well: a client that may ask for a new member names
// one, and what follows is everything that the cluster holds.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <string>

namespace troupe::net {

enum class dial_policy {
  anywhere,
  /// Loopback addresses only: what is sent elsewhere could be read, and by whom is not known.
  this_machine,
};

/// A node without TLS that is not told to be insecure stays on its machine, in both directions.
inline dial_policy dial_policy_of(bool tls, bool insecure) {
  return tls || insecure ? dial_policy::anywhere : dial_policy::this_machine;
}

/// Why `host` must not be dialed at this address, which the host was resolved to; empty if it may. The address decides,
/// and not the name: a name may lead somewhere else each time it is resolved.
inline std::string objection(const std::string& host, const sockaddr& address, dial_policy policy) {
  if (policy == dial_policy::anywhere || is_loopback(address)) return {};
  const auto where = text_of(address);
  return (where == host ? host : host + " resolves to " + where + ", which") +
         " is not on this machine: without TLS, only loopback addresses are dialed. Set up TLS, or allow this with "
         "--insecure (node_options::insecure, client_options::insecure)";
}

} // namespace troupe::net

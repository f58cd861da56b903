// Where a process may connect to. Addresses also come from untrusted parties: a client that may request a new member
// names its address, and the new member receives everything that the cluster holds.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <string>

namespace troupe::net {

enum class dial_policy {
  anywhere,
  /// Loopback addresses only. Without TLS, others could read what is sent elsewhere.
  this_machine,
};

/// A node without TLS and without the insecure option stays on its machine, in both directions.
inline dial_policy dial_policy_of(bool tls, bool insecure) {
  return tls || insecure ? dial_policy::anywhere : dial_policy::this_machine;
}

/// Why `host` must not be dialed at this address, to which it was resolved. Empty if it may be dialed. The address
/// decides, not the name: a name may resolve to another address each time.
inline std::string objection(const std::string& host, const sockaddr& address, dial_policy policy) {
  if (policy == dial_policy::anywhere || is_loopback(address)) return {};
  const auto where = text_of(address);
  return (where == host ? host : host + " resolves to " + where + ", which") +
         " is not on this machine: without TLS, only loopback addresses are dialed. Set up TLS, or allow this with "
         "--insecure (node_options::insecure, client_options::insecure)";
}

} // namespace troupe::net

// Where a process may connect to. Addresses come from strangers as well: whoever may ask for a new member names one,
// and what follows is everything that the cluster holds.
#pragma once

#include "runtime/transport/sockets.hpp"

#include <string>

namespace troupe::net {

enum class dial_policy {
  anywhere,
  /// What is sent elsewhere could be read, and by whom is not known.
  this_machine,
};

/// A node without TLS that is not told to be insecure stays on its machine, in both directions.
inline dial_policy dial_policy_of(bool tls, bool insecure) {
  return tls || insecure ? dial_policy::anywhere : dial_policy::this_machine;
}

/// `host` is a name or an IP address. Of names "localhost" alone is this machine: any other may lead somewhere else by
/// the time it is resolved.
inline bool may_dial(const std::string& host, dial_policy policy) {
  return policy == dial_policy::anywhere || is_loopback(host);
}

} // namespace troupe::net

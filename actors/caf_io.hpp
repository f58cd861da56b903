// What of CAF's network layer this project touches, beyond actors/caf.hpp: the broker of node connections.
// Written against CAF 0.17.6.
#pragma once

#include "actors/caf.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/scribe.hpp>

#include <set>
#include <string>
#include <vector>

namespace troupe::compat {

/// The broker that all connections between nodes share.
inline caf::actor basp_broker(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

/// A node id as it crosses the network.
inline std::string encoded(caf::actor_system& system, const caf::node_id& node) {
  std::vector<char> bytes;
  caf::binary_serializer to{system, bytes};
  if (to(node)) return {};
  return {bytes.begin(), bytes.end()};
}

/// Asks the broker to shake hands through an open connection, for the actor that is published at the other end's
/// `port`. `found` gets a strong_actor_ptr, which may be null; `failed` gets an error. The broker may keep hold of
/// `self` as long as the actor system has threads of its own: not for a detached actor, for which the system would wait
/// in vain.
template <class Self, class Found, class Failed>
void request_handshake(Self* self, const caf::actor& broker, caf::timespan timeout, caf::io::scribe_ptr through,
                       std::uint16_t port, Found found, Failed failed) {
  self->request(broker, timeout, caf::connect_atom::value, std::move(through), port)
      .then([found](const caf::node_id&, caf::strong_actor_ptr& actor,
                    const std::set<std::string>&) mutable { found(std::move(actor)); },
            failed);
}

} // namespace troupe::compat

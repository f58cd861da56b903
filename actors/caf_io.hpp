// The parts of CAF's network layer that this project uses, in addition to actors/caf.hpp: the broker of node
// connections, and dialing.
#pragma once

#include "actors/caf.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/scribe.hpp>
#if !TROUPE_CAF_1
#include <caf/detail/sync_request_bouncer.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace troupe::compat {

#if TROUPE_CAF_1
using io_buffer = caf::byte_buffer;
using io_context = caf::scheduler;
inline constexpr auto broker_name = "BASP";
inline constexpr auto connect_word = caf::connect_atom_v;
inline constexpr auto publish_word = caf::publish_atom_v;
inline constexpr auto heartbeat_setting = "caf.middleman.heartbeat-interval";
/// A time after which no connection gives up. Zero means "at once". It must be longer than a machine runs, because CAF
/// takes a connection without a handshake for one that has been silent since the start of the clock.
inline constexpr caf::timespan no_connection_timeout = std::chrono::hours{24 * 365 * 100};
#else
using io_buffer = std::vector<char>;
using io_context = caf::execution_unit;
inline const auto broker_name = caf::atom("BASP");
inline const auto connect_word = caf::connect_atom::value;
inline const auto publish_word = caf::publish_atom::value;
inline constexpr auto heartbeat_setting = "middleman.heartbeat-interval";
/// A time after which no connection gives up: zero means "never".
inline constexpr caf::timespan no_connection_timeout{0};
#endif

/// The broker that all connections between nodes share.
inline caf::actor basp_broker(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(broker_name);
}

/// Makes the broker of node connections close its mailbox when it ends, and then calls `then`. Calling this once for
/// each system is enough.
///
/// CAF closes the mailbox of every actor that ends, except those of brokers. Messages sent to a broker that has ended
/// therefore stay in its mailbox and keep their senders alive. If a sender is a detached actor, the actor system waits
/// for its thread forever at shutdown.
template <class Then> void close_with_broker(caf::actor_system& system, Then then) {
  auto* const broker = dynamic_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(basp_broker(system)));
  broker->attach_functor([broker, then](const caf::error& why) {
    then();
    auto& mailbox = broker->mailbox();
    if (mailbox.closed()) return;
#if TROUPE_CAF_1
    mailbox.close(why); // it answers the requests that wait
#else
    mailbox.close();
    broker->get_normal_queue().flush_cache();
    broker->get_urgent_queue().flush_cache();
    caf::detail::sync_request_bouncer refuse{why};
    while (mailbox.queue().new_round(1000, refuse).consumed_items > 0) continue;
#endif
  });
}

/// A node id in the encoding that crosses the network.
inline std::string encoded(caf::actor_system& system, const caf::node_id& node) {
  io_buffer bytes;
  caf::binary_serializer to{system, bytes};
#if TROUPE_CAF_1
  if (!to.apply(node)) return {};
#else
  if (to(node)) return {};
#endif
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Makes the broker start CAF's handshake with the other end of a connection. `found` gets the actor that is published
/// there, which may be null. `failed` gets an error.
template <class Self, class Found, class Failed>
void request_handshake(Self* self, caf::timespan timeout, caf::io::scribe_ptr connection, std::uint16_t port,
                       Found found, Failed failed) {
  self->request(basp_broker(self->system()), timeout, connect_word, std::move(connection), port)
      .then([found](const caf::node_id&, const caf::strong_actor_ptr& actor,
                    const std::set<std::string>&) mutable { found(actor); },
            failed);
}

} // namespace troupe::compat

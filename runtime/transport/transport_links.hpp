// Links between real processes: CAF's own protocol (BASP) over the transport.
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "runtime/transport/dial_policy.hpp"
#include "runtime/transport/transport.hpp"

#include <memory>
#include <string>
#include <troupe/options.hpp>

namespace troupe {

class transport_links : public link_factory {
 public:
  explicit transport_links(std::shared_ptr<net::transport> transport) : transport_(std::move(transport)) {}
  /// The system must have loaded caf::io::middleman. For an address that cannot be parsed, the connector always fails.
  connector_handle make_connector(caf::actor_system& system, const std::string& address) override;

 private:
  std::shared_ptr<net::transport> transport_;
};

/// How often CAF sends a heartbeat on each connection. 0: never.
caf::timespan heartbeat_interval(caf::actor_system& system);

/// Creates a transport in this system from the settings. All transports of a system share its connections. Throws
/// std::runtime_error if the files are unusable, the system's configuration does not fit, or no thread can be started.
std::shared_ptr<net::transport> make_transport(caf::actor_system& system, const transport_settings& settings,
                                               net::dial_policy dials = net::dial_policy::anywhere);

/// Sends tokens to the actor, which must accept a flow_mark. Does not keep the actor alive.
template <class Handle> net::flow_meter::token_sender flow_marks(const Handle& to) {
  return [to = to.address()](const net::flow_token& token) {
    if (const auto receiver = caf::actor_cast<Handle>(to)) compat::anon_send(receiver, flow_mark{token});
  };
}

/// Lets the processes of the transport's realm send messages to the actor until it ends. The actor must accept a
/// flow_mark.
template <class Handle> void make_reachable(const net::transport& transport, const Handle& actor) {
  const auto receivers = transport.options().guard.receivers;
  receivers->add(actor.id(), flow_marks(actor));
  caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor([receivers, id = actor.id()] { receivers->remove(id); });
}

/// Publishes the actor to the processes that connect to the address at which the transport listens. The system must
/// exist until `stop_listening` has returned.
void publish(caf::actor_system& system, net::transport& transport, std::uint16_t port, caf::strong_actor_ptr published);

} // namespace troupe

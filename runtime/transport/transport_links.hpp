// Links between real processes: CAF's own protocol (BASP) over the transport.
#pragma once

#include "actors/link_factory.hpp"
#include "runtime/transport/transport.hpp"
#include "runtime/transport_settings.hpp"

#include <memory>
#include <string>

namespace troupe {

class transport_links : public link_factory {
 public:
  explicit transport_links(std::shared_ptr<net::transport> transport) : transport_(std::move(transport)) {}
  /// The system must have loaded caf::io::middleman. An address that cannot be read makes a connector that always
  /// fails.
  connector_handle make_connector(caf::actor_system& system, const std::string& address) override;

 private:
  std::shared_ptr<net::transport> transport_;
};

/// The transport of a process in this system, as its settings say. Throws std::runtime_error when files are unusable.
std::shared_ptr<net::transport> make_transport(caf::actor_system& system, const transport_settings& settings);

/// Makes `published` what others find who connect to the address at which the transport listens. The system must live
/// until `stop_listening` has returned.
void publish(caf::actor_system& system, net::transport& transport, std::uint16_t port, caf::strong_actor_ptr published);

} // namespace troupe

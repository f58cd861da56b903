// Turns an address into an endpoint. The interface is here, beside its user; runtime/transport/ implements it with
// BASP, tests with a table.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <memory>
#include <string>

namespace troupe {

/// Must be usable from any thread; shared by all peer links of a node.
class link_factory {
 public:
  virtual ~link_factory() = default;
  /// Spawns an actor that makes a new connection to `address` for every `dial` and answers, within ten seconds, with
  /// the endpoint that it found or with an error. It must not block, whatever the address. Its owner ends it.
  virtual connector_handle make_connector(caf::actor_system& system, const std::string& address) = 0;
};

using link_factory_ptr = std::shared_ptr<link_factory>;

} // namespace troupe

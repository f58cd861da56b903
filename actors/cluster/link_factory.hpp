// How an address becomes an endpoint. The interface lives here with its user; runtime/transport/ implements it with
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
  /// An actor that connects to `address` anew for every `dial` and answers with what it found there, or with an error
  /// within ten seconds. It does not block, whatever the address; its owner ends it.
  virtual connector_handle make_connector(caf::actor_system& system, const std::string& address) = 0;
};

using link_factory_ptr = std::shared_ptr<link_factory>;

} // namespace troupe

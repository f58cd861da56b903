// Access to the internals of a client, for the library and its tests.
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "actors/protocol/interfaces.hpp"

#include <troupe/client.hpp>

namespace troupe {

class client_access {
 public:
  /// Starts a client that connects to nodes with links of `factory`. Throws startup_error if `options` has no endpoint.
  static client spawn(caf::actor_system& system, const client_options& options, link_factory_ptr factory);
  /// Accepts encoded commands in command_batch, and answers them with outcome_batch.
  static const proxy_handle& proxy(const client& of);
};

} // namespace troupe

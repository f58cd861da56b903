// The configuration of an actor system without a network.
#pragma once

#include "runtime/message_types.hpp"

namespace troupe::test {

/// Knows the project's messages, and is otherwise as CAF makes it.
struct plain_config : caf::actor_system_config {
  plain_config() { register_message_types(*this); }
};

} // namespace troupe::test

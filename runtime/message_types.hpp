// Makes the message types of the program known to CAF.
#pragma once

#include <caf/actor_system_config.hpp>

namespace troupe {

/// Call it before the actor system of `config` is made. With CAF 1.x it throws std::logic_error if two message types of
/// the program have the same number, and names both. Thread-safe.
void register_message_types(caf::actor_system_config& config);

} // namespace troupe

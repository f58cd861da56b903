// The messages that cross the network, by name.
#pragma once

#include "actors/protocol/messages.hpp"

namespace troupe {

/// Calls `add.operator()<Message>(name)` for every message that crosses the network.
template <class F> void for_each_wire_message(F&& add) {
#define TROUPE_ADD(type, name) add.template operator()<type>(name);
  TROUPE_WIRE_MESSAGES(TROUPE_ADD)
#undef TROUPE_ADD
}

} // namespace troupe

// The messages that cross the network, by name.
#pragma once

#include "actors/protocol/messages.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// Calls `add.operator()<Message>(name)` for every message that crosses the network.
template <class F> void for_each_wire_message(F&& add) {
#define TROUPE_ADD(type, name) add.template operator()<type>(name);
  TROUPE_WIRE_MESSAGES(TROUPE_ADD)
#undef TROUPE_ADD
}

/// The messages by name, each with a function that returns whether bytes are an encoding of that message.
using wire_checks = std::map<std::string, bool (*)(std::string_view), std::less<>>;
inline wire_checks wire_messages() {
  wire_checks checks;
  for_each_wire_message([&]<class Message>(const char* name) { checks.emplace(name, wire::is_encoded<Message>); });
  return checks;
}

} // namespace troupe

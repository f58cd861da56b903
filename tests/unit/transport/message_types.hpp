// Message types for tests of guards that are not about the content of messages.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

/// Accepts any bytes as a message of these types.
inline message_types types_of_anything(std::initializer_list<const char*> names) {
  message_types all;
  for (const auto* name : names) all.emplace(name, [](std::string_view) { return true; });
  return all;
}

inline std::vector<std::string> names_of(const message_types& all) {
  std::vector<std::string> names;
  for (const auto& [name, check] : all) names.push_back(name);
  return names;
}

} // namespace troupe::net::testing

// Shared by the simulation's tests: reads seeds from the environment.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>

namespace troupe::sim {

/// The number in an environment variable; nullopt if it is not set.
inline std::optional<std::uint64_t> number_from(const char* variable) {
  const auto* text = std::getenv(variable);
  if (!text) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

} // namespace troupe::sim

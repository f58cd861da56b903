// Durations as people write them: "100ms", "5s".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::webserver {

/// More than this is taken for a mistake.
inline constexpr std::chrono::hours max_duration{1};

/// A whole number above 0 with the unit "ms" or "s", up to `max_duration`; nothing for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// In seconds if that is exact, else in milliseconds.
std::string to_string(std::chrono::milliseconds duration);

} // namespace troupe::webserver

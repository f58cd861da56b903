// Parses and prints human-readable durations: "100ms", "5s".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::webserver {

/// The longest duration that is accepted; a longer one is considered a mistake.
inline constexpr std::chrono::hours max_duration{1};

/// The form that `parse_duration` accepts, for error messages after "expected".
inline constexpr auto duration_form = "a positive number with unit ms or s, at most 3600s";

/// Parses a positive whole number with the unit "ms" or "s", up to `max_duration`. Empty for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Prints seconds if the duration is a whole number of them, else milliseconds.
std::string to_string(std::chrono::milliseconds duration);

} // namespace troupe::webserver

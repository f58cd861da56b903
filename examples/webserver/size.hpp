// Parses human-readable sizes: "1000", "64MB", "2 GiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::webserver {

/// Parses a whole number, optionally followed by a unit in upper or lower case: B, KB, MB, GB or TB, each 1024 times
/// the one before. KiB, MiB, GiB, TiB and K, M, G, T mean the same. Returns bytes. Empty for anything else, and for
/// more than 2^63 - 1 bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace troupe::webserver

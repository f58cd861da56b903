// Sizes as people write them: "1000", "64MB", "2 GiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::webserver {

/// A whole number of bytes, or of the unit behind it: B, KB, MB, GB, TB, each 1024 of the one before (KiB, MiB, GiB,
/// TiB and K, M, G, T mean the same), in upper or lower case. Nothing for anything else, and for more than 2^63 - 1
/// bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace troupe::webserver

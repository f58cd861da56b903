// The one checksum of all files.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// XXH3, 64 bits.
std::uint64_t checksum(std::string_view data, std::uint64_t seed = 0);

} // namespace troupe

#include "runtime/transport/payload_reader.hpp"

namespace troupe::net {

std::uint32_t payload_reader::get_length() {
  std::uint64_t value = 0;
  for (unsigned group = 0; group < 5; ++group) {
    const auto low = get<std::uint8_t>();
    value |= std::uint64_t{low & 0x7fu} << (7 * group);
    if (low & 0x80) continue;
    if ((group > 0 && low == 0) || value > UINT32_MAX) break;
    return static_cast<std::uint32_t>(value);
  }
  fail();
  return 0;
}

void payload_reader::skip_strings() {
  for (auto left = get_length(); ok() && left > 0; --left) get_string();
}

} // namespace troupe::net

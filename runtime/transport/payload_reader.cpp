#include "runtime/transport/payload_reader.hpp"

#include <algorithm>

namespace troupe::net {
namespace {

/// "default", packed into an integer as CAF packs short names.
constexpr std::uint64_t default_node_id = 0x00003e9aab9bac79;
constexpr std::size_t node_id_size = sizeof(std::uint64_t) + 24;
constexpr std::string_view string_type = "@str";

} // namespace

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

std::string_view payload_reader::get_node_id() {
  const auto id = get_raw(node_id_size);
  if (payload_reader{id}.get<std::uint64_t>() == default_node_id) return id;
  fail();
  return {};
}

std::string_view payload_reader::get_types() {
  if (get<std::uint16_t>() != 0) fail();
  return get_string();
}

void payload_reader::skip_strings() {
  for (auto left = get_length(); ok() && left > 0; --left) get_string();
}

bool payload_reader::skip_error() {
  get<std::uint8_t>();
  get<std::uint64_t>();
  auto names = get_types();
  if (!ok() || names == no_types) return ok();
  if (!names.starts_with(types_prefix)) {
    fail();
    return false;
  }
  names.remove_prefix(no_types.size());
  while (ok() && !names.empty()) {
    names.remove_prefix(1); // the plus sign
    if (!names.starts_with(string_type)) fail();
    names.remove_prefix(std::min(string_type.size(), names.size()));
    if (!names.empty() && names.front() != '+') fail();
    get_string();
  }
  return ok();
}

} // namespace troupe::net

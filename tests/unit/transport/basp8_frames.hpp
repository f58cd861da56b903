// Builds pieces of BASP payloads as CAF 1.1 writes them. Frames are those of basp_frames.hpp.
#pragma once

#include "tests/unit/transport/basp_frames.hpp"

namespace troupe::net::testing::basp8 {

/// CAF's number for strings.
inline constexpr std::uint16_t string_type = 12;

inline std::string node(std::uint32_t process, char host) {
  constexpr std::uint8_t hashed = 1;
  return basp::integer(hashed, 1) + basp::integer(process, 4) + std::string(20, host);
}

/// The numbers of a message's elements.
inline std::string types(std::initializer_list<std::uint16_t> ids) {
  auto bytes = basp::length(ids.size());
  for (const auto id : ids) bytes += basp::integer(id, 2);
  return bytes;
}

inline std::string error(std::uint8_t code, std::uint16_t category, const std::vector<std::string_view>& context = {},
                         std::uint16_t string = string_type) {
  auto bytes = basp::integer(1, 1) + basp::integer(code, 1) + basp::integer(category, 2) + basp::length(context.size());
  for (std::size_t i = 0; i < context.size(); ++i) bytes += basp::integer(string, 2);
  for (const auto one : context) bytes += basp::text(one);
  return bytes;
}

} // namespace troupe::net::testing::basp8

// Parses the port number on the command line of an example.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace examples {

/// The port number that is the whole of `text`, or 0 if `text` is anything else.
inline std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc{} && end == text.data() + text.size() ? port : std::uint16_t{0};
}

} // namespace examples

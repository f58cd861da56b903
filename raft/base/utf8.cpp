#include "raft/base/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace troupe::base {
namespace {

/// The length of the well-formed sequence at the start of `text`, 0 if there is none. Unicode 15, table 3-7: only the
/// second byte's range depends on the first.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  const std::uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  return length;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string plain_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const auto first = static_cast<std::uint8_t>(text[0]);
    const bool is_c1 = length == 2 && first == 0xc2 && static_cast<std::uint8_t>(text[1]) < 0xa0;
    const bool shown = length > 0 && first >= 0x20 && first != 0x7f && !is_c1;
    const auto whole = text.substr(0, length > 0 ? length : 1);
    out += shown ? whole : std::string_view{"?"};
    text.remove_prefix(whole.size());
  }
  return out;
}

} // namespace troupe::base

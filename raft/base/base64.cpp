#include "raft/base/base64.hpp"

#include <array>
#include <cstdint>

namespace troupe::base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t invalid = 0xff;

constexpr auto digits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(invalid);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

} // namespace

std::string to_base64(std::string_view data) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (; !data.empty(); data.remove_prefix(data.size() < 3 ? data.size() : 3)) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < data.size() ? static_cast<unsigned char>(data[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i > data.size() ? '=' : alphabet[group >> (18 - 6 * i) & 63];
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (; !text.empty(); text.remove_prefix(4)) {
    const bool last = text.size() == 4;
    const std::size_t used = last && text[3] == '=' ? (text[2] == '=' ? 2 : 3) : 4;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto digit = i < used ? digits[static_cast<unsigned char>(text[i])] : std::uint8_t{0};
      if (digit == invalid) return std::nullopt;
      group = group << 6 | digit;
    }
    const std::size_t bytes = used - 1;
    if ((group & (0xffffffu >> (8 * bytes))) != 0) return std::nullopt;
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(group >> (16 - 8 * i) & 0xff);
  }
  return out;
}

} // namespace troupe::base

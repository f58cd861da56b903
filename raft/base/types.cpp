#include <array>
#include <charconv>
#include <cstddef>
#include <troupe/types.hpp>

namespace troupe {
namespace {

std::string hex(std::uint64_t value) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto it = text.rbegin(); it != text.rend(); ++it, value >>= 4) *it = digits[value & 15];
  return text;
}

} // namespace

const char* to_string(role_kind kind) {
  switch (kind) {
  case role_kind::follower:
    return "follower";
  case role_kind::candidate:
    return "candidate";
  case role_kind::leader:
    return "leader";
  }
  return "unknown";
}

std::string to_string(node_id id) { return hex(id.value); }
std::string to_string(cluster_id id) { return hex(id.value); }

std::optional<node_id> parse_node_id(std::string_view text) {
  node_id id;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  const bool whole = error == std::errc{} && stop == text.data() + text.size() && text.size() == 16;
  return whole && id ? std::optional{id} : std::nullopt;
}

std::string to_string(const snapshot_id& id) {
  return hex(id.last.index) + "-" + hex(id.last.term) + "-" + hex(id.size) + "-" + hex(id.checksum);
}

std::optional<snapshot_id> parse_snapshot_id(std::string_view text) {
  constexpr std::size_t digits = 16;
  std::array<std::uint64_t, 4> numbers{};
  if (text.size() != numbers.size() * (digits + 1) - 1) return {};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto part = text.substr(i * (digits + 1), digits);
    if (std::from_chars(part.data(), part.data() + part.size(), numbers[i], 16).ec != std::errc{}) return {};
  }
  const snapshot_id id{{numbers[0], numbers[1]}, numbers[2], numbers[3]};
  return to_string(id) == text ? std::optional{id} : std::nullopt;
}

} // namespace troupe

#include "raft/base/types.hpp"

#include <charconv>

namespace troupe::raft {
namespace {

std::string hex(std::uint64_t value) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto it = text.rbegin(); it != text.rend(); ++it, value >>= 4) *it = digits[value & 15];
  return text;
}

} // namespace

std::string to_string(node_id id) { return hex(id.value); }
std::string to_string(cluster_id id) { return hex(id.value); }

std::optional<node_id> parse_node_id(std::string_view text) {
  node_id id;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  const bool whole = error == std::errc{} && stop == text.data() + text.size() && text.size() == 16;
  return whole && id ? std::optional{id} : std::nullopt;
}

} // namespace troupe::raft

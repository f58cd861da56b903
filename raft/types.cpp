#include "raft/types.hpp"

#include <string_view>

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

} // namespace troupe::raft

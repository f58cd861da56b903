#include "raft/membership/introductions.hpp"

#include "raft/base/address.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace troupe::raft {
namespace {

/// The first max_introduced nodes by id. An id with several addresses counts once.
std::vector<member> first_of(const std::map<node_id, std::string>& found) {
  std::vector<member> first;
  for (const auto& [id, address] : found) {
    if (first.size() == max_introduced) break;
    first.push_back({id, address});
  }
  return first;
}

} // namespace

std::vector<member> introductions(membership_state self, const std::vector<sighted_peer>& linked) {
  std::map<node_id, std::string> found;
  if (self == membership_state::formed) return {};
  for (const auto& p : linked)
    if (p.state != membership_state::formed) found.emplace(p.node, p.address);
  return first_of(found);
}

std::vector<member> introduced_to(node_id self, const std::vector<sighted_peer>& linked) {
  std::map<node_id, std::string> found;
  for (const auto& p : linked) {
    if (p.state == membership_state::formed) continue;
    const auto count = std::min(p.introduces.size(), max_introduced);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& m = p.introduces[i];
      if (m.id && m.id != self && !address_problem(m.address)) found.emplace(m.id, m.address);
    }
  }
  for (const auto& p : linked) found.erase(p.node);
  return first_of(found);
}

} // namespace troupe::raft

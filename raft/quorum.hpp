// Majorities, single and joint, as free functions.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <algorithm>
#include <vector>

namespace troupe::raft {

/// The largest value that a majority of `members` has reached, where `value_of(id)` is what a member has reached. The
/// value type's default for no members at all.
template <class ValueOf> auto majority_value(const std::vector<member>& members, ValueOf value_of) {
  using value = decltype(value_of(node_id{}));
  if (members.empty()) return value{};
  std::vector<value> values;
  values.reserve(members.size());
  for (const auto& m : members) values.push_back(value_of(m.id));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), nth, values.end(), std::greater<>{});
  return *nth;
}

/// The largest value that the voters' majority has reached; in a joint configuration both majorities (Raft paper,
/// section 6).
template <class ValueOf> auto quorum_value(const configuration& c, ValueOf value_of) {
  auto value = majority_value(c.voters, value_of);
  if (c.joint()) value = std::min(value, majority_value(c.outgoing, value_of));
  return value;
}

/// True if the members for which `yes(id)` holds are a quorum. Never true without voters.
template <class Yes> bool has_quorum(const configuration& c, Yes yes) {
  return !c.voters.empty() && quorum_value(c, [&](node_id id) { return yes(id) ? 1 : 0; }) == 1;
}

} // namespace troupe::raft

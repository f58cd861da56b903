// Free functions for single and joint majorities.
#pragma once

#include "raft/base/types.hpp"
#include "raft/entry.hpp"

#include <algorithm>
#include <vector>

namespace troupe::raft {

/// The largest value that a majority of `members` has reached, where `value_of(id)` is the value of one member. The
/// value type's default if there are no members.
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

/// The largest value that a majority of the voters has reached; in a joint configuration, that both majorities have
/// reached (Raft paper, section 6).
template <class ValueOf> auto quorum_value(const configuration& c, ValueOf value_of) {
  auto value = majority_value(c.voters, value_of);
  if (c.joint()) value = std::min(value, majority_value(c.outgoing, value_of));
  return value;
}

/// True if the members for which `yes(id)` is true are a quorum. Always false without voters.
template <class Yes> bool has_quorum(const configuration& c, Yes yes) {
  return !c.voters.empty() && quorum_value(c, [&](node_id id) { return yes(id) ? 1 : 0; }) == 1;
}

} // namespace troupe::raft

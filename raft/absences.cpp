#include "raft/absences.hpp"

#include <algorithm>
#include <utility>

namespace troupe::raft {

void absences::note(const configuration& members, time_point now) {
  std::vector<node_id> present;
  for (const auto& m : members.members()) present.push_back(m.id);
  for (const auto id : std::exchange(members_, present)) left_.emplace(id, now);
  for (const auto id : present) left_.erase(id);
  if (!others_) others_ = now;
  while (left_.size() > max_kept) {
    const auto oldest =
        std::min_element(left_.begin(), left_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    others_ = std::max(*others_, oldest->second);
    left_.erase(oldest);
  }
}

void absences::note_after_gap(const configuration& members, time_point now) {
  *this = {};
  note(members, now);
}

duration absences::out_for(node_id id, time_point now) const {
  if (!others_ || std::find(members_.begin(), members_.end(), id) != members_.end()) return {};
  const auto left = left_.find(id);
  return std::max(duration{}, now - (left == left_.end() ? *others_ : left->second));
}

} // namespace troupe::raft

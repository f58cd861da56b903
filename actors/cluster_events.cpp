#include "actors/cluster_events.hpp"

namespace troupe {

std::vector<cluster_event> member_events(const raft::configuration& before, const raft::configuration& after,
                                         index_t at) {
  using kind = cluster_event::kind;
  std::vector<cluster_event> found;
  const auto tell = [&](kind what, node_id node) { found.push_back({what, node, {}, 0, at}); };
  for (const auto& m : after.members()) {
    if (!before.is_member(m.id))
      tell(kind::member_joined, m.id);
    else if (after.is_voter(m.id) && !before.is_voter(m.id))
      tell(kind::member_promoted, m.id);
  }
  for (const auto& m : before.members())
    if (!after.is_member(m.id)) tell(kind::member_left, m.id);
  return found;
}

} // namespace troupe

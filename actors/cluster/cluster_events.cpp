#include "actors/cluster/cluster_events.hpp"

namespace troupe {

std::string to_string(const cluster_event& event) {
  using kind = cluster_event::kind;
  const auto node = "node " + to_string(event.node);
  const auto in_term = " in term " + std::to_string(event.term);
  const auto since = ", by the configuration at " + std::to_string(event.index);
  switch (event.what) {
  case kind::leader_changed:
    return event.node ? node + " leads" + in_term : "nobody is known to lead" + in_term;
  case kind::role_changed:
    return "this node, " + to_string(event.node) + ", is " + raft::to_string(event.role) + in_term;
  case kind::member_joined:
    return node + " is a member" + since;
  case kind::member_promoted:
    return node + " votes" + since;
  case kind::member_left:
    return node + " is no member any more" + since;
  case kind::suspected:
    return node + " has not been heard for longer than usual";
  case kind::died:
    return node + " is taken for dead";
  case kind::revived:
    return node + " is heard again";
  case kind::disk_stalled:
    return "the disk of this node, " + to_string(event.node) + ", does not answer";
  case kind::disk_answers:
    return "the disk of this node, " + to_string(event.node) + ", answers again";
  }
  return node;
}

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

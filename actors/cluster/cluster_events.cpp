#include "actors/cluster/cluster_events.hpp"

namespace troupe {

std::string to_string(const cluster_event& event) {
  using kind = cluster_event::kind;
  const auto name = to_string(event.node) + (event.address.empty() ? "" : " (" + event.address + ")");
  auto node = "node " + name;
  const auto in_term = " in term " + std::to_string(event.term);
  const auto by = " (configuration " + std::to_string(event.index) + ")";
  switch (event.what) {
  case kind::leader_changed:
    return event.node ? node + " leads" + in_term : "no leader is known" + in_term;
  case kind::role_changed:
    return "this node, " + name + ", is " + raft::to_string(event.role) + in_term;
  case kind::member_joined:
    return node + " joined the cluster" + by;
  case kind::member_promoted:
    return node + " became a voter" + by;
  case kind::member_left:
    return node + " left the cluster" + by;
  case kind::suspected:
    return node + " is suspected: it has been silent for longer than usual";
  case kind::died:
    return node + " is considered dead";
  case kind::revived:
    return node + " answers again";
  case kind::disk_stalled:
    return "the disk of this node, " + name + ", does not answer";
  case kind::disk_answers:
    return "the disk of this node, " + name + ", answers again";
  }
  return node;
}

std::vector<cluster_event> member_events(const raft::configuration& before, const raft::configuration& after,
                                         index_t at) {
  using kind = cluster_event::kind;
  std::vector<cluster_event> found;
  const auto add = [&](kind what, node_id node) { found.push_back({what, node, {}, {}, 0, at}); };
  for (const auto& m : after.members()) {
    if (!before.is_member(m.id))
      add(kind::member_joined, m.id);
    else if (after.is_voter(m.id) && !before.is_voter(m.id))
      add(kind::member_promoted, m.id);
  }
  for (const auto& m : before.members())
    if (!after.is_member(m.id)) add(kind::member_left, m.id);
  return found;
}

} // namespace troupe

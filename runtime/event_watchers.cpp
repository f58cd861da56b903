#include "runtime/event_watchers.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

bool event_watchers::add(const event_watcher& one) {
  if (std::find(watchers_.begin(), watchers_.end(), one) != watchers_.end()) return false;
  watchers_.push_back(one);
  if (role_) caf::anon_send(one, role_event());
  if (leader_) caf::anon_send(one, leader_event());
  if (disk_stalled_) caf::anon_send(one, disk_event());
  return true;
}

bool event_watchers::remove(const caf::actor_addr& one) {
  return std::erase_if(watchers_, [&](const event_watcher& w) { return w.address() == one; }) > 0;
}

void event_watchers::tell(const cluster_event& event) const {
  for (const auto& w : watchers_) caf::anon_send(w, event);
}

void event_watchers::tell_role(raft::role_kind kind, term_t term) {
  role_ = kind;
  role_term_ = term;
  tell(role_event());
}

void event_watchers::tell_leader(node_id leader, term_t term) {
  leader_term_ = term;
  if (std::exchange(leader_, leader) != leader) tell(leader_event());
}

void event_watchers::tell_disk(bool stalled) {
  if (std::exchange(disk_stalled_, stalled) != stalled) tell(disk_event());
}

void event_watchers::tell_end_of_core() {
  if (role_ && role_ != raft::role_kind::follower) tell_role(raft::role_kind::follower, role_term_);
  tell_leader({}, leader_term_);
}

} // namespace troupe

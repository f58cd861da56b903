#include "runtime/event_watchers.hpp"

#include "actors/caf.hpp"
#include "raft/quorum.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

bool event_watchers::add(const event_watcher& one) {
  if (std::find(watchers_.begin(), watchers_.end(), one) != watchers_.end()) return false;
  watchers_.push_back(one);
  if (role_) compat::anon_send(one, role_event());
  if (leader_) compat::anon_send(one, leader_event());
  if (disk_stalled_) compat::anon_send(one, disk_event());
  return true;
}

bool event_watchers::remove(const caf::actor_addr& one) {
  return std::erase_if(watchers_, [&](const event_watcher& w) { return w.address() == one; }) > 0;
}

void event_watchers::on_role(raft::role_kind kind, term_t term) {
  const auto before = std::exchange(role_, kind);
  role_term_ = term;
  if (before == raft::role_kind::leader && kind != raft::role_kind::leader)
    log().warn("this node, {}, stepped down and no longer leads in term {}", to_string(self_), term);
  else if (kind == raft::role_kind::candidate && !std::exchange(campaign_logged_, true))
    log().info("this node, {}, campaigns in term {}", to_string(self_), term);
  send(role_event());
}

void event_watchers::on_leader(node_id leader, term_t term) {
  leader_term_ = term;
  const auto before = std::exchange(leader_, leader);
  if (before == leader) return;
  if (leader) {
    campaign_logged_ = false;
    return log_and_send(log_level::info, leader_event());
  }
  if (before != self_) {
    const auto lost = named({cluster_event::kind::leader_changed, before, {}, {}, term});
    log().warn("lost the leader, node {} ({}), in term {}: electing another one", to_string(before),
               lost.address.empty() ? "address unknown" : lost.address, term);
  }
  send(leader_event());
}

void event_watchers::on_members(const raft::configuration& members, index_t at) {
  const bool first = members_.empty();
  const auto before = std::exchange(members_, members);
  addresses_.clear();
  for (const auto* c : {&before, &std::as_const(members_)})
    for (const auto& m : c->members()) addresses_[m.id] = m.address;
  std::erase_if(silent_, [&](node_id id) { return !members_.is_member(id); });
  if (!first)
    for (const auto& event : member_events(before, members_, at)) log_and_send(log_level::info, named(event));
  judge_majority();
}

void event_watchers::on_health(node_id peer, raft::peer_state state) {
  using kind = cluster_event::kind;
  const bool alive = state == raft::peer_state::alive;
  const auto event = named({alive                                ? kind::revived
                            : state == raft::peer_state::suspect ? kind::suspected
                                                                 : kind::died,
                            peer});
  if (alive)
    silent_.erase(peer);
  else
    silent_.insert(peer);
  log_and_send(alive ? log_level::info : log_level::warn, event);
  judge_majority();
}

void event_watchers::on_disk(bool stalled) {
  if (std::exchange(disk_stalled_, stalled) != stalled) send(disk_event());
}

void event_watchers::on_end_of_replica() {
  if (role_ && role_ != raft::role_kind::follower) {
    role_ = raft::role_kind::follower;
    send(role_event());
  }
  if (std::exchange(leader_, node_id{})) send(leader_event());
}

cluster_event event_watchers::named(cluster_event event) const {
  if (const auto found = addresses_.find(event.node); found != addresses_.end()) event.address = found->second;
  return event;
}

void event_watchers::send(const cluster_event& event) const {
  for (const auto& w : watchers_) compat::anon_send(w, event);
}

void event_watchers::log_and_send(log_level level, const cluster_event& event) const {
  log().log(level, "{}", to_string(event));
  send(event);
}

/// Uses only the members' health: a leader may still be known, or may be unknown for another reason.
void event_watchers::judge_majority() {
  if (!members_.is_voter(self_)) return;
  const auto answers = [&](node_id id) { return id == self_ || !silent_.contains(id); };
  const bool now = raft::has_quorum(members_, answers);
  if (std::exchange(majority_answers_, now) == now) return;
  const auto count = [&](const std::vector<member>& voters) {
    return static_cast<std::size_t>(
        std::count_if(voters.begin(), voters.end(), [&](const auto& m) { return answers(m.id); }));
  };
  if (now) {
    log().info("a majority answers again: {} of {} voters", count(members_.voters), members_.voters.size());
    return;
  }
  // A joint configuration has two sets of voters: the log names one without a majority.
  const auto needed = [](const std::vector<member>& voters) { return voters.size() / 2 + 1; };
  const bool outgoing = count(members_.voters) >= needed(members_.voters);
  const auto& voters = outgoing ? members_.outgoing : members_.voters;
  log().warn("no majority: {} of {} {} {}, {} needed", count(voters), voters.size(),
             outgoing ? "outgoing voters" : "voters", count(voters) == 1 ? "answers" : "answer", needed(voters));
}

} // namespace troupe

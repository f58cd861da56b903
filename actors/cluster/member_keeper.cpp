#include "actors/cluster/member_keeper.hpp"

#include <troupe/log.hpp>
#include <utility>

namespace troupe {
namespace {

constexpr auto poll_interval = std::chrono::seconds{1};

} // namespace

member_keeper::member_keeper(caf::actor_config& config, node_id self, raft::member_policy_options opts,
                             links_handle links, health_monitor_handle health)
    : compat::typed_base<member_keeper_handle>(config), self_(self), policy_(self, opts), links_(std::move(links)),
      health_(std::move(health)) {}

member_keeper_handle::behavior_type member_keeper::make_behavior() {
  compat::end_on_exceptions(this);
  send(links_, watch_peers{peers_watcher{this}});
  return {
      [this](const peers_view& m) { peers_ = m; },
      [this](const role_changed& m) {
        if (m.epoch < epoch_) return;
        epoch_ = m.epoch;
        leader_ = m.kind == raft::role_kind::leader ? m.role : role_handle{};
        policy_.forget();
        if (leader_) timer_.arm(this, clock().now() + poll_interval);
      },
      [this](const replica_down&) {
        leader_ = nullptr;
        policy_.forget();
      },
      [this](const configuration_known& m) { members_ = m; },
      [this](const timer& m) {
        if (timer_.fired(m) && leader_) poll();
      },
  };
}

void member_keeper::on_end() {
  links_ = nullptr;
  health_ = nullptr;
  leader_ = nullptr;
  peers_ = {};
}

void member_keeper::poll() {
  timer_.arm(this, clock().now() + poll_interval);
  request(health_, caf::infinite, get_health{}).then([this](const health_report& report) { decide(report); });
}

void member_keeper::decide(const health_report& health) {
  if (!leader_) return;
  const raft::member_sightings seen{members_.members, members_.index, joiners(), health.peers};
  const bool crowded = policy_.is_crowded(seen);
  if (!std::exchange(crowded_, crowded) && crowded)
    log().warn("{} nodes ask to join, but {} learners already wait to become voters: the nodes are admitted when those "
               "learners vote or are removed",
               seen.joiners.size(), seen.members.promotions.size());
  auto decision = policy_.decide(seen, clock().now());
  if (!decision) return;
  // The change is sent again every second as long as the role refuses it, but logged only once.
  if (std::exchange(logged_reason_, decision->reason) != decision->reason)
    log().info("automatic membership change: {}", logged_reason_);
  send(leader_, std::move(decision->change));
}

/// The linked nodes that ask to join a cluster and do not belong to another one.
std::vector<raft::member> member_keeper::joiners() const {
  std::vector<raft::member> found;
  for (const auto& [who, endpoint] : peers_.peers) {
    const bool free = who.state == membership_state::fresh || who.cluster == peers_.self.cluster;
    if (who.wants_to_join && free && !members_.members.is_member(who.node)) found.push_back({who.node, who.address});
  }
  return found;
}

} // namespace troupe

// Makes automatic membership changes while its node leads, by the rules of raft/membership/member_policy.hpp.
//
//   [following] -- role_changed: leader --> [leading: polls once a second] -- role_changed, replica_down -->
//   [following]
//
// It sends its changes to the role and ignores the outcome: what was not done is decided again a second later.
#pragma once

#include "actors/protocol/observer.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "raft/membership/member_policy.hpp"

#include <string>

namespace troupe {

using member_keeper_handle =
    compat::handle<void(peers_view), void(role_changed), void(replica_down), void(configuration_known), void(timer)>;

class member_keeper : public compat::typed_base<member_keeper_handle> {
 public:
  member_keeper(caf::actor_config& config, node_id self, raft::member_policy_options opts, links_handle links,
                health_monitor_handle health);
  behavior_type make_behavior() override;
  const char* name() const override { return "member_keeper"; }
  void on_end() override;

 private:
  void poll();
  void decide(const health_report& health);
  std::vector<raft::member> joiners() const;

  node_id self_;
  raft::member_policy policy_;
  links_handle links_;
  health_monitor_handle health_;
  peers_view peers_;
  configuration_known members_;
  epoch_t epoch_ = 0;
  /// Set while this node leads.
  role_handle leader_;
  timer_slot timer_;
  /// The reason of the last logged decision.
  std::string logged_reason_;
  bool crowded_ = false;
};

} // namespace troupe

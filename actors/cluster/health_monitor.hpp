// Monitors the other members: sends the probes of raft/membership/health.hpp and notifies watchers of changes.
//
//   [no cluster] -- peers_view of a cluster --> [watching its members] --+
//                                                  ^                     |  peers_view of another cluster
//                                                  +---------------------+
//
// The results are hints. The leader's member_keeper acts on them, and operators read them.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/timer_slot.hpp"
#include "raft/membership/health.hpp"

#include <optional>
#include <vector>

namespace troupe {

class health_monitor : public compat::typed_base<health_monitor_handle> {
 public:
  health_monitor(caf::actor_config& config, node_id self, raft::health_options opts, std::uint64_t seed,
                 links_handle links);
  behavior_type make_behavior() override;
  const char* name() const override { return "health_monitor"; }
  void on_end() override;

 private:
  void follow(const peers_view& view);
  void take(const raft::health_message& message);
  void carry_out(raft::health_output out);

  node_id self_;
  raft::health_options opts_;
  std::uint64_t seed_;
  links_handle links_;
  cluster_id cluster_;
  std::optional<raft::health> machine_;
  timer_slot timer_;
  std::vector<health_watcher> watchers_;
};

} // namespace troupe

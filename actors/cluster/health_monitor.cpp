#include "actors/cluster/health_monitor.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

health_monitor::health_monitor(caf::actor_config& config, node_id self, raft::health_options opts, std::uint64_t seed,
                               links_handle links)
    : compat::typed_base<health_monitor_handle>(config), self_(self), opts_(opts), seed_(seed),
      links_(std::move(links)) {
  set_down_handler([this](const caf::down_msg& m) {
    std::erase_if(watchers_, [&](const health_watcher& w) { return w.address() == m.source; });
  });
}

health_monitor_handle::behavior_type health_monitor::make_behavior() {
  compat::end_on_exceptions(this);
  send(links_, watch_peers{peers_watcher{this}});
  return {
      [this](const peers_view& m) { follow(m); },
      [this](const raft::probe& m) { take(m); },
      [this](const raft::probe_ack& m) { take(m); },
      [this](const raft::probe_request& m) { take(m); },
      [this](const watch_health& m) {
        monitor(m.watcher);
        watchers_.push_back(m.watcher);
      },
      [this](const get_health&) {
        return health_report{machine_ ? machine_->view(clock().now()) : std::vector<raft::peer_health>{}};
      },
      [this](const timer& m) {
        if (timer_.fired(m) && machine_) carry_out(machine_->tick(clock().now()));
      },
  };
}

void health_monitor::on_end() {
  links_ = nullptr;
  watchers_.clear();
}

void health_monitor::follow(const peers_view& view) {
  const auto now = clock().now();
  if (view.self.cluster != cluster_) {
    cluster_ = view.self.cluster;
    machine_.reset();
    if (cluster_) machine_.emplace(self_, cluster_, opts_, seed_, now);
  }
  if (!machine_) return;
  std::vector<node_id> members;
  for (const auto& m : view.members) members.push_back(m.id);
  machine_->watch(members, now);
  timer_.arm(this, machine_->deadline());
}

void health_monitor::take(const raft::health_message& message) {
  if (machine_) carry_out(machine_->step(message, clock().now()));
}

void health_monitor::carry_out(raft::health_output out) {
  if (!out.send.empty()) send(links_, health_batch{std::move(out.send)});
  for (const auto& [peer, state] : out.changes)
    for (const auto& w : watchers_) send(w, health_changed{peer, state});
  timer_.arm(this, machine_->deadline());
}

} // namespace troupe

// Membership changes and event watchers of the simulated cluster.
#include "tests/actor/cluster_world.hpp"

#include <utility>

namespace troupe::test {

namespace {

class events_witness : public event_watcher::base {
 public:
  events_witness(caf::actor_config& config, node_handle node, std::shared_ptr<std::vector<cluster_event>> seen)
      : event_watcher::base(config), node_(std::move(node)), seen_(std::move(seen)) {}
  behavior_type make_behavior() override {
    for (int i = 0; i < 2; ++i) send(node_, watch_events{event_watcher{this}});
    // End together with the node.
    monitor(std::exchange(node_, nullptr));
    set_down_handler([this](const caf::down_msg&) { quit(); });
    return {[this](const cluster_event& e) { seen_->push_back(e); }};
  }

 private:
  node_handle node_;
  std::shared_ptr<std::vector<cluster_event>> seen_;
};

} // namespace

std::shared_ptr<std::optional<late_answer>> cluster_world::change(node_id at, raft::change_members what) {
  return ask_late<membership_changed>(
      at, change_membership{std::move(what.add), std::move(what.remove), what.based_on, 20s});
}

void cluster_world::transfer(node_id from, node_id to) {
  compat::anon_send(members_.at(from).node, move_leadership{to, 5s});
}

void cluster_world::stop(node_id id, bool leave) {
  note("stop " + std::to_string(id.value));
  compat::anon_send(members_.at(id).node, stop_node{leave});
}

std::shared_ptr<std::vector<cluster_event>> cluster_world::watch(node_id id) {
  auto seen = std::make_shared<std::vector<cluster_event>>();
  system.spawn<events_witness>(members_.at(id).node, seen);
  work(any_pace);
  return seen;
}

} // namespace troupe::test

// What happens in the cluster, told to an actor of one's own; and a job that one node of the cluster does at a time.
// Start three of these with the same list of addresses, kill any of them, and start it again:
//
//   watcher 5001 w1 static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003
#include "runtime/node.hpp"
#include "services/map/map_service.hpp"

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace {

using namespace std::chrono_literals;

/// Prints events, and does the job while its node leads. A node that has lost touch may take itself for the leader a
/// little longer: what must not be done twice is a command of a service.
class watcher : public troupe::event_watcher::base {
 public:
  watcher(caf::actor_config& config, const troupe::node_handle& node) : troupe::event_watcher::base(config) {
    send(node, troupe::watch_events{troupe::event_watcher{this}});
  }
  behavior_type make_behavior() override {
    return {[this](const troupe::cluster_event& event) {
      std::cout << to_string(event) << std::endl;
      if (event.what != troupe::cluster_event::kind::role_changed) return;
      const bool leads = event.role == troupe::raft::role_kind::leader;
      if (leads != works_) std::cout << (leads ? "the job is done here" : "the job is done elsewhere") << std::endl;
      works_ = leads;
    }};
  }

 private:
  bool works_ = false;
};

int watch(const troupe::node_options& options) {
  troupe::config config;
  caf::actor_system system{config};
  auto node = troupe::spawn_node(system, options, troupe::map_service{});
  const auto mine = system.spawn<watcher>(node.handle());
  // It stays until the node ends.
  caf::scoped_actor self{system};
  self->monitor(node.handle());
  self->receive([](const caf::down_msg&) {});
  self->send_exit(mine, caf::exit_reason::user_shutdown);
  std::cerr << "watcher: the node ended, its log says why\n";
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: watcher RAFT_PORT DATA_DIR DISCOVERY\n";
    return 2;
  }
  try {
    troupe::node_options options;
    options.raft_port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.data_dir = argv[2];
    options.discovery = argv[3];
    return watch(options);
  } catch (const troupe::startup_error& error) {
    std::cerr << "watcher: " << error.what() << '\n';
    return 1;
  }
}

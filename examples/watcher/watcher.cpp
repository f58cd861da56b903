// An actor of your own that receives the events of the cluster, and a job that runs on one node at a time. Start three
// processes with the same list of addresses, each with its own port and directory. Kill any of them, then restart it:
//
//   watcher 5001 w1 static:127.0.0.1:5001,127.0.0.1:5002,127.0.0.1:5003
#include "examples/port_of.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <troupe/node.hpp>
#include <troupe/process.hpp>
#include <troupe/services/map.hpp>

namespace {

using namespace std::chrono_literals;

/// Prints events, and runs the job while its node leads. A node that has lost contact with the cluster may consider
/// itself the leader for a little longer. Work that must not be done twice therefore belongs into a command of a
/// service.
class watcher : public troupe::event_watcher::base {
 public:
  watcher(caf::actor_config& config, const troupe::node_handle& node) : troupe::event_watcher::base(config) {
    send(node, troupe::watch_events{troupe::event_watcher{this}});
  }
  behavior_type make_behavior() override {
    return {[this](const troupe::cluster_event& event) {
      std::cout << to_string(event) << std::endl;
      if (event.what != troupe::cluster_event::kind::role_changed) return;
      const bool leads = event.role == troupe::role_kind::leader;
      if (leads != leads_) std::cout << (leads ? "the job runs here" : "the job runs elsewhere") << std::endl;
      leads_ = leads;
    }};
  }

 private:
  bool leads_ = false;
};

int watch(const troupe::node_options& options, const troupe::stop_signals& signals) {
  troupe::config config;
  caf::actor_system system{config};
  auto node = troupe::spawn_node(system, options, troupe::map_service{});
  const auto mine = system.spawn<watcher>(node.handle());
  // Runs until the node stops.
  const auto stop_requested = std::make_shared<std::atomic<bool>>(false);
  signals.then([stop_requested, handle = node.handle()] {
    *stop_requested = true;
    caf::anon_send(handle, troupe::stop_node{});
  });
  caf::scoped_actor self{system};
  self->monitor(node.handle());
  self->receive([](const caf::down_msg&) {});
  self->send_exit(mine, caf::exit_reason::user_shutdown);
  if (*stop_requested) return 0;
  std::cerr << "watcher: the node stopped unexpectedly; its log gives the reason\n";
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  const troupe::stop_signals signals;
  troupe::end_process_without_memory("watcher");
  const auto port = argc == 4 ? examples::port_of(argv[1]) : std::uint16_t{0};
  if (port == 0) {
    std::cerr << "usage: watcher RAFT_PORT DATA_DIR DISCOVERY\n";
    return 2;
  }
  try {
    troupe::node_options options;
    options.raft_port = port;
    options.data_dir = argv[2];
    options.discovery = argv[3];
    return watch(options, signals);
  } catch (const troupe::startup_error& error) {
    std::cerr << "watcher: " << error.what() << '\n';
    return 1;
  }
}

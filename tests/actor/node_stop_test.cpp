// A node that is stopped while it reads its log.
#include "actors/proxy.hpp"
#include "runtime/config.hpp"
#include "runtime/node_actor.hpp"
#include "runtime/storage/reading_stopped.hpp"
#include "tests/actor/virtual_system.hpp"

#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <semaphore>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

class silent : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    // Not caf::drop, which answers with an error, of which the sender would die.
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::delegated<caf::message>{};
    });
    return {[](const flush&) {}};
  }
};

/// Leaves every question unanswered.
class stubborn : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    set_default_handler(caf::skip);
    return {[](const flush&) {}};
  }
};

/// A log that takes as long to read as the test is patient.
struct endless_log {
  std::binary_semaphore begun{0};
  bool stopped = false;

  opened_log read(const std::stop_token& stop) {
    begun.release();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait_for(lock, stop, 20s, [] { return false; });
    stopped = stop.stop_requested();
    check(stop);
    throw raft::storage_error("nobody stopped the reading");
  }
};

} // namespace

TEST_CASE("a stop ends the reading of the log at once, and the node ends without blaming its disk") {
  endless_log log;
  troupe::config config;
  caf::actor_system system{config};
  node_setup setup;
  setup.id = {1};
  setup.address = "n1:1";
  setup.close_timeout = 60s;
  setup.open_log = [&](const membership_decision&, const std::vector<machine_factory>&, const std::stop_token& stop) {
    return log.read(stop);
  };
  const node_handle node = system.spawn<node_actor>(std::move(setup));
  const auto rest = system.spawn<silent>();
  caf::scoped_actor self{system};
  self->monitor(node);
  self->send(node, surroundings{caf::actor_cast<endpoint_handle>(rest), caf::actor_cast<links_handle>(rest),
                                system.spawn<proxy>(proxy_options{}), caf::actor_cast<formation_handle>(rest),
                                caf::actor_cast<health_monitor_handle>(rest)});
  self->send(node, membership_decision{{7}, {{{{1}, "n1:1"}}, {}, {}, {}}, false, 0});
  log.begun.acquire();
  self->send(node, stop_node{});
  caf::error reason = caf::sec::request_timeout;
  self->receive([&](const caf::down_msg& down) { reason = down.reason; }, caf::after(30s) >> [] {});
  INFO(compat::to_text(system, reason));
  CHECK(log.stopped);
  CHECK_FALSE(reason);
}

TEST_CASE("fronts and proxy share the time that a node has to drain") {
  test::virtual_system world;
  auto& system = world.system;
  node_setup setup;
  setup.id = {1};
  setup.drain_timeout = 300ms;
  const node_handle node = system.spawn<node_actor>(std::move(setup));
  const auto rest = system.spawn<silent>();
  const auto proxy = system.spawn<stubborn>(), front = system.spawn<stubborn>();
  caf::anon_send(node, surroundings{caf::actor_cast<endpoint_handle>(rest), caf::actor_cast<links_handle>(rest),
                                    caf::actor_cast<proxy_handle>(proxy), caf::actor_cast<formation_handle>(rest),
                                    caf::actor_cast<health_monitor_handle>(rest)});
  caf::anon_send(node, part_started{caf::actor_cast<caf::actor>(front), true});
  world.settle();
  bool ended = false;
  caf::actor_cast<caf::abstract_actor*>(node)->attach_functor([&] { ended = true; });
  caf::anon_send(node, stop_node{});
  world.advance(299ms);
  CHECK_FALSE(ended);
  world.advance(150ms); // the proxy gets a little, also where fronts took all of it
  CHECK(ended);
  caf::anon_send_exit(front, caf::exit_reason::kill);
  world.settle();
}

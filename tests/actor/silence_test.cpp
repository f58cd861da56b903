// Over real sockets: an endpoint that hangs in a process whose network still works.
#include "actors/cluster/links.hpp"
#include "runtime/transport/transport_links.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <troupe/config.hpp>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

hello who(std::uint64_t id) {
  hello h;
  h.node = {id};
  h.incarnation = id;
  h.address = "127.0.0.1:1";
  return h;
}

/// Answers hello only while `speaks` is set.
class moody_endpoint : public compat::untyped_base {
 public:
  moody_endpoint(caf::actor_config& config, std::shared_ptr<std::atomic<bool>> speaks)
      : compat::untyped_base(config), speaks_(std::move(speaks)) {}
  caf::behavior make_behavior() override {
    return {[this](const hello&) {
              auto promise = make_response_promise<hello>();
              if (*speaks_) promise.deliver(who(2));
              return promise;
            },
            [](const flow_mark&) {}};
  }

 private:
  std::shared_ptr<std::atomic<bool>> speaks_;
};

struct process {
  troupe::config config;
  caf::actor_system system{config};
  std::shared_ptr<net::transport> transport = make_transport(system, {});
  std::uint64_t count(net::incident what) const {
    return transport->status().incidents.at(static_cast<std::size_t>(what));
  }
};

} // namespace

TEST_CASE("the connection to an endpoint that hangs is cut, and a new one is made when it is back") {
  process there;
  const auto speaks = std::make_shared<std::atomic<bool>>(true);
  const auto endpoint = there.system.spawn<moody_endpoint>(speaks);
  there.transport->options().guard.receivers->add(endpoint.id(), flow_marks(endpoint));
  const auto port = there.transport->listen("127.0.0.1", 0);
  publish(there.system, *there.transport, port, caf::actor_cast<caf::strong_actor_ptr>(endpoint));

  process here;
  const auto links = here.system.spawn<troupe::links>(who(1), std::make_shared<transport_links>(here.transport), 1u);
  caf::scoped_actor self{here.system};
  self->send(links, peers_changed{"test", {"127.0.0.1:" + std::to_string(port)}});
  const auto comes = [&](bool wanted, std::chrono::seconds in_time) {
    const auto until = steady::now() + in_time;
    for (bool up = !wanted; steady::now() < until;) {
      self->request(links, 10s, get_peers{})
          .receive([&](const peer_list& list) { up = !list.peers.empty() && list.peers.front().up; },
                   [](const caf::error&) {});
      if (up == wanted) return true;
      std::this_thread::sleep_for(10ms); // nap: polls the link's status
    }
    return false;
  };
  REQUIRE(comes(true, 10s));
  CHECK(here.count(net::incident::dialed) == 1);
  *speaks = false;
  const auto fell_silent = steady::now();
  CHECK(comes(false, 10s));
  CHECK(steady::now() - fell_silent < 5s); // 3.5 s, plus a margin for a busy machine
  CHECK(here.count(net::incident::cut_silent) == 1);
  *speaks = true;
  CHECK(comes(true, 10s));
  CHECK(here.count(net::incident::dialed) >= 2);
  CHECK(here.count(net::incident::cut_silent) == 1);

  there.transport->stop_listening();
  self->send_exit(links, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(endpoint, caf::exit_reason::user_shutdown);
}

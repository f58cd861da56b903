// Somebody who is let in at the raft port and then speaks CAF's protocol by hand, to real actors.
#include "actors/caf_io.hpp"
#include "actors/protocol/messages.hpp"
#include "raft/base/host_port.hpp"
#include "runtime/config.hpp"
#include "runtime/transport/transport_links.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
namespace basp = net::testing::basp;
using steady = std::chrono::steady_clock;

struct tally {
  std::atomic<int> hellos = 0;
  std::atomic<int> others = 0;
};

/// What stands where an endpoint would. Stands still while `busy` is held by somebody else.
class counting_actor : public caf::event_based_actor {
 public:
  counting_actor(caf::actor_config& config, std::shared_ptr<tally> counts, std::shared_ptr<std::mutex> busy)
      : caf::event_based_actor(config), counts_(std::move(counts)), busy_(std::move(busy)) {}
  caf::behavior make_behavior() override {
    set_default_handler([counts = counts_](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      ++counts->others;
      return caf::sec::unexpected_message;
    });
    return {[this](const hello&) {
              const std::lock_guard wait(*busy_);
              ++counts_->hellos;
            },
            [](const flow_mark&) {}};
  }

 private:
  std::shared_ptr<tally> counts_;
  std::shared_ptr<std::mutex> busy_;
};

/// A process with a published actor.
struct host {
  host() : system(config), transport(make_transport(system, {})) {
    actor = system.spawn<counting_actor, caf::detached>(counts, busy);
    transport->options().guard.receivers->add(actor.id(), flow_marks(actor));
    port = transport->listen("127.0.0.1", 0);
    publish(system, *transport, port, caf::actor_cast<caf::strong_actor_ptr>(actor));
  }
  ~host() {
    transport->stop_listening();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  troupe::config config;
  caf::actor_system system;
  std::shared_ptr<tally> counts = std::make_shared<tally>();
  std::shared_ptr<std::mutex> busy = std::make_shared<std::mutex>();
  std::shared_ptr<net::transport> transport;
  caf::actor actor;
  std::uint16_t port = 0;
};

/// Through the opening, and introduced.
class insider {
 public:
  explicit insider(const host& to, char name = 'i')
      : to_(to.actor.id()), socket_(net::testing::connect_to(to.port, 10s)) {
    net::opening talk{net::side::dialed, socket_.get(), {}};
    for (auto w = talk.step(); w != net::opening::wants::nothing; w = talk.step())
      REQUIRE(net::wait_readable(socket_.get(), steady::now() + 10s));
    send(basp::client_hello(basp::node(7, name)));
  }
  void send(std::string_view bytes) { REQUIRE(net::testing::send_all(socket_.get(), bytes)); }
  void message(const std::string& type, const std::string& content, std::uint64_t number = 1) {
    send(framed(type, content, number));
  }
  /// Sends as much of it as the other end takes.
  std::size_t push(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto moved = ::send(socket_.get(), &bytes[sent], bytes.size() - sent, MSG_NOSIGNAL);
      if (moved > 0)
        sent += static_cast<std::size_t>(moved);
      else if (!net::wait_writable(socket_.get(), steady::now() + 1500ms))
        break;
    }
    return sent;
  }
  std::string framed(const std::string& type, const std::string& content, std::uint64_t number = 1) const {
    return basp::frame({.operation = basp::direct_message, .data = number, .from = 1, .to = to_},
                       basp::message("@<>+" + type, basp::text(content)));
  }
  /// True when the other end hangs up within ten seconds; what it says before is passed over.
  bool is_cut() {
    const auto until = steady::now() + 10s;
    char block[4096];
    while (net::wait_readable(socket_.get(), until)) {
      const auto got = ::recv(socket_.get(), block, sizeof block, 0);
      if (got == 0 || (got < 0 && errno != EAGAIN)) return true;
    }
    return false;
  }

 private:
  std::uint64_t to_;
  net::socket_guard socket_;
};

template <class F> bool comes_true(F&& so) {
  const auto until = steady::now() + 10s;
  while (!so()) {
    if (steady::now() > until) return false;
    std::this_thread::sleep_for(1ms); // nap: the time between looks at another thread's work
  }
  return true;
}

} // namespace

TEST_CASE("what does not decode reaches no actor, not even as an empty message, and ends its connection") {
  host node;
  const auto number = GENERATE(std::uint64_t{1}, basp::response + 1);
  insider one{node};
  one.message("troupe.hello", wire::encode(hello{}), 1);
  CHECK(comes_true([&] { return node.counts->hellos == 1; }));
  one.message("troupe.hello", "no hello", number);
  CHECK(one.is_cut());
  CHECK(node.counts->hellos == 1);
  CHECK(node.counts->others == 0);
}

TEST_CASE("a flood of good messages waits outside while the actor is behind, and all of it arrives in the end") {
  host node;
  insider one{node};
  hello large;
  large.refusal = std::string(GENERATE(0u, 1'000u, 50'000u), 'x');
  const auto message = one.framed("troupe.hello", wire::encode(large));
  const std::size_t count = 100'000'000 / (message.size() + 512);
  std::string flood;
  flood.reserve(count * message.size());
  for (std::size_t i = 0; i < count; ++i) flood += message;
  std::size_t sent = 0;
  {
    const std::lock_guard still(*node.busy);
    sent = one.push(flood);
    // What the actor has not handled, and the two sockets' buffers.
    CHECK(sent < 20u << 20);
    CHECK(node.transport->status().incidents.at(static_cast<std::size_t>(net::incident::held_back)) == 1);
    // It is not silent, it is kept from speaking: longer than silence may last.
    CHECK(node.transport->status().open_connections == 1);
  }
  std::thread rest([&] { sent += one.push(std::string_view{flood}.substr(sent)); });
  CHECK(comes_true([&] { return node.counts->hellos == static_cast<int>(count); }));
  rest.join();
  CHECK(sent == flood.size());
  CHECK(node.counts->others == 0);
}

TEST_CASE("a node that is held back and ends is let go") {
  host node;
  std::unique_lock still(*node.busy);
  {
    insider one{node};
    const auto message = one.framed("troupe.hello", wire::encode(hello{}));
    std::string flood;
    while (flood.size() < 20'000'000) flood += message;
    CHECK(one.push(flood) < flood.size());
  }
  still.unlock();
  CHECK(comes_true([&] { return node.transport->status().open_connections == 0; }));
}

namespace {

/// Says hello once and ends.
class passer_by : public caf::event_based_actor {
 public:
  passer_by(caf::actor_config& config, caf::actor to) : caf::event_based_actor(config), to_(std::move(to)) {}
  caf::behavior make_behavior() override {
    send(to_, hello{});
    quit();
    return {[](const flush&) {}};
  }
  void on_exit() override { to_ = nullptr; }

 private:
  caf::actor to_;
};

} // namespace

TEST_CASE("more actors than may speak on a connection at a time do so one after the other") {
  host node;
  troupe::config config;
  caf::actor_system system{config};
  const auto transport = make_transport(system, {});
  const auto connector = transport_links{transport}.make_connector(system, "127.0.0.1:" + std::to_string(node.port));
  caf::scoped_actor self{system};
  caf::actor there;
  self->request(connector, 10s, dial{})
      .receive([&](const dialed& found) { there = caf::actor_cast<caf::actor>(found.endpoint); },
               [](const caf::error&) {});
  REQUIRE(there);
  const auto rounds = static_cast<int>(node.transport->options().guard.max_senders / 500 + 4);
  for (int round = 1; round <= rounds; ++round) {
    for (int i = 0; i < 500; ++i) system.spawn<passer_by>(there);
    REQUIRE(comes_true([&] { return node.counts->hellos == 500 * round; }));
  }
  CHECK(node.transport->status().incidents.at(static_cast<std::size_t>(net::incident::violation)) == 0);
  CHECK(node.transport->status().open_connections == 1);
  self->send_exit(connector, caf::exit_reason::user_shutdown);
}

TEST_CASE("how long silence may last is checked against how often CAF speaks") {
  troupe::config config;
  caf::actor_system system{config};
  transport_settings settings;
  CHECK(make_transport(system, settings)->options().silence_limit == 900ms);
  settings.silence_limit = 599ms;
  CHECK_THROWS_WITH(make_transport(system, settings), Catch::Contains("at most a third of the 599 ms"));
  settings.silence_limit = 600ms;
  CHECK(make_transport(system, settings)->options().silence_limit == 600ms);
}

TEST_CASE("an address elsewhere is not dialed where only this machine may be") {
  troupe::config config;
  caf::actor_system system{config};
  transport_links careful{make_transport(system, {}, net::dial_policy::this_machine)};
  caf::scoped_actor self{system};
  for (const std::string address : {"192.0.2.1", "2001:db8::1"}) {
    const auto connector = careful.make_connector(system, to_string(host_port{address, 5000}));
    std::string why;
    self->request(connector, 10s, dial{})
        .receive([](const dialed&) {}, [&](const caf::error& e) { why = compat::to_text(system, e); });
    CHECK_THAT(why, Catch::Contains(address) && Catch::Contains("is not on this machine"));
    self->send_exit(connector, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a system whose broker has ended already has a network, and nobody waits for it for ever") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto broker = compat::basp_broker(system);
  self->monitor(broker);
  self->send_exit(broker, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  // Not std::async, whose future waits for what hangs.
  std::promise<void> made;
  std::thread maker{[&] {
    make_transport(system, {});
    made.set_value();
  }};
  const bool in_time = made.get_future().wait_for(20s) == std::future_status::ready;
  if (!in_time) {
    FAIL_CHECK("the network is waited for for ever");
    std::cout.flush();
    std::quick_exit(1); // what hangs would keep the system, and the thread, for ever
  }
  maker.join();
}

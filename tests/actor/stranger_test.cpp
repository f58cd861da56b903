// A peer that passed the handshake of the raft port and then sends hand-made frames of CAF's protocol to real actors.
#include "actors/caf_io.hpp"
#include "actors/protocol/messages.hpp"
#include "runtime/transport/transport_links.hpp"
#include "tests/actor/caf_dialect.hpp"
#include "tests/actor/unexpected.hpp"
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
#include <troupe/address.hpp>
#include <troupe/config.hpp>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
namespace basp = net::testing::basp;
using steady = std::chrono::steady_clock;

struct tally {
  std::atomic<int> hellos = 0;
  std::atomic<int> others = 0;
};

/// Takes the place of an endpoint. It blocks while another thread holds `busy`.
class counting_actor : public compat::untyped_base {
 public:
  counting_actor(caf::actor_config& config, std::shared_ptr<tally> counts, std::shared_ptr<std::mutex> busy)
      : compat::untyped_base(config), counts_(std::move(counts)), busy_(std::move(busy)) {}
  caf::behavior make_behavior() override {
    test::on_unexpected(*this, [counts = counts_] {
      ++counts->others;
      return caf::make_error(caf::sec::unexpected_message);
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

/// A connection that has passed the opening and CAF's handshake.
class insider {
 public:
  explicit insider(const host& to, char name = 'i')
      : to_(to.actor.id()), socket_(net::testing::connect_to(to.port, 10s)) {
    net::opening talk{net::side::dialed, socket_.get(), {}};
    for (auto w = talk.step(); w != net::opening::wants::nothing; w = talk.step())
      REQUIRE(net::wait_readable(socket_.get(), steady::now() + 10s));
    send(basp::client_hello(net::testing::caf_dialect().node(7, name)));
  }
  void send(std::string_view bytes) { REQUIRE(net::testing::send_all(socket_.get(), bytes)); }
  void message(const std::string& type, const std::string& content, std::uint64_t number = 1) {
    send(framed(type, content, number));
  }
  /// Sends as many of the bytes as the other side accepts. It gives up when the other side accepts none for `patience`.
  std::size_t push(std::string_view bytes, std::chrono::milliseconds patience = 1500ms) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto moved = ::send(socket_.get(), &bytes[sent], bytes.size() - sent, MSG_NOSIGNAL);
      if (moved > 0)
        sent += static_cast<std::size_t>(moved);
      else if (!net::wait_writable(socket_.get(), steady::now() + patience))
        break;
    }
    return sent;
  }
  std::string framed(const std::string& type, const std::string& content, std::uint64_t number = 1) const {
    return basp::frame({.operation = basp::direct_message, .data = number, .from = 1, .to = to_},
                       net::testing::caf_dialect().message({net::testing::caf_type(type)}, basp::text(content)));
  }
  /// True if the other side closes the connection within ten seconds. Bytes from it are ignored.
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
    std::this_thread::sleep_for(1ms); // nap: polls the result of another thread
  }
  return true;
}

/// True if the number reaches `goal`. However long that takes, it must rise at least every ten seconds.
template <class F> bool reaches(F&& number, int goal) {
  for (int before = number(); before < goal; before = number())
    if (!comes_true([&] { return number() > before; })) return false;
  return number() == goal;
}

} // namespace

TEST_CASE("a message that cannot be decoded reaches no actor, not even empty, and ends its connection") {
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

TEST_CASE("a flood of valid messages waits outside while the actor is busy, and all of it arrives") {
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
    // The messages that the actor has not handled, and the buffers of both sockets.
    CHECK(sent < 20u << 20);
    CHECK(node.transport->status().incidents.at(static_cast<std::size_t>(net::incident::held_back)) == 1);
    // The peer is not silent but blocked: it is not cut, even after more than the silence limit.
    CHECK(node.transport->status().open_connections == 1);
  }
  std::thread rest([&] { sent += one.push(std::string_view{flood}.substr(sent), 10s); });
  CHECK(reaches([&] { return node.counts->hellos.load(); }, static_cast<int>(count)));
  rest.join();
  CHECK(sent == flood.size());
  CHECK(node.counts->others == 0);
}

TEST_CASE("the connection of a blocked peer that ends is closed") {
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
class passer_by : public compat::untyped_base {
 public:
  passer_by(caf::actor_config& config, caf::actor to) : compat::untyped_base(config), to_(std::move(to)) {}
  caf::behavior make_behavior() override {
    send(to_, hello{});
    quit();
    return {[](const flush&) {}};
  }
  void on_end() override { to_ = nullptr; }

 private:
  caf::actor to_;
};

} // namespace

TEST_CASE("more actors than the limit of senders can use a connection one after the other") {
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

TEST_CASE("the silence limit is checked against CAF's heartbeat interval") {
  troupe::config config;
  caf::actor_system system{config};
  transport_settings settings;
  CHECK(make_transport(system, settings)->options().silence_limit == 900ms);
  settings.silence_limit = 599ms;
  CHECK_THROWS_WITH(make_transport(system, settings), Catch::Contains("at most a third of the 599 ms"));
  settings.silence_limit = 600ms;
  CHECK(make_transport(system, settings)->options().silence_limit == 600ms);
}

TEST_CASE("with the policy this_machine, addresses of other machines are not dialed") {
  troupe::config config;
  caf::actor_system system{config};
  transport_links careful{make_transport(system, {}, net::dial_policy::this_machine)};
  caf::scoped_actor self{system};
  for (const std::string address : {"192.0.2.1", "2001:db8::1"}) {
    const auto connector = careful.make_connector(system, to_string(host_port{address, 5000}));
    std::string why;
    self->request(connector, 10s, dial{})
        .receive([](const dialed&) {}, [&](const caf::error& e) { why = to_text(system, e); });
    CHECK_THAT(why, Catch::Contains(address) && Catch::Contains("is not on this machine"));
    self->send_exit(connector, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("making the transport of a system whose broker has ended does not hang") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto broker = compat::basp_broker(system);
  self->monitor(broker);
  self->send_exit(broker, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  // Not std::async, whose future would wait for a thread that hangs.
  std::promise<void> made;
  std::thread maker{[&] {
    make_transport(system, {});
    made.set_value();
  }};
  const bool in_time = made.get_future().wait_for(20s) == std::future_status::ready;
  if (!in_time) {
    FAIL_CHECK("make_transport hangs");
    std::cout.flush();
    std::quick_exit(1); // the system and the thread would never end
  }
  maker.join();
}

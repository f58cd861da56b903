// Somebody who is let in at the raft port and then speaks CAF's protocol by hand, to real actors.
#include "actors/messages.hpp"
#include "runtime/config.hpp"
#include "runtime/transport/transport_links.hpp"
#include "tests/unit/transport/basp_frames.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
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

/// What stands where an endpoint would.
class counting_actor : public caf::event_based_actor {
 public:
  counting_actor(caf::actor_config& config, std::shared_ptr<tally> counts)
      : caf::event_based_actor(config), counts_(std::move(counts)) {}
  caf::behavior make_behavior() override {
    set_default_handler([counts = counts_](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      ++counts->others;
      return caf::sec::unexpected_message;
    });
    return {[this](const hello&) { ++counts_->hellos; }};
  }

 private:
  std::shared_ptr<tally> counts_;
};

/// A process with a published actor.
struct host {
  host() : system(config), transport(make_transport(system, {})) {
    actor = system.spawn<counting_actor>(counts);
    transport->options().guard.receivers->add(actor.id());
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
  std::shared_ptr<net::transport> transport;
  caf::actor actor;
  std::uint16_t port = 0;
};

/// Through the opening, and introduced.
class insider {
 public:
  explicit insider(const host& to, char name = 'i')
      : to_(to.actor.id()), socket_(net::connect_any("127.0.0.1", to.port, 10s)) {
    net::opening talk{net::side::dialed, socket_.get(), {}};
    for (auto w = talk.step(); w != net::opening::wants::nothing; w = talk.step())
      REQUIRE(net::wait_readable(socket_.get(), steady::now() + 10s));
    send(basp::client_hello(basp::node(7, name)));
  }
  void send(std::string_view bytes) { REQUIRE(net::testing::send_all(socket_.get(), bytes)); }
  void message(const std::string& type, const std::string& content, std::uint64_t number = 1) {
    send(basp::frame({.operation = basp::direct_message, .data = number, .from = 1, .to = to_},
                     basp::message("@<>+" + type, basp::text(content))));
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

// The end of a transport, on any thread, and whatever its own thread is doing.
#include "runtime/transport/transport.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <troupe/process.hpp>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;

namespace {

/// The network of an actor system that reports when its last user has released it.
std::shared_ptr<system_network> network_with_end(const std::shared_ptr<std::promise<void>>& ended) {
  return {new system_network{{}, [](const std::string&) {}}, [ended](system_network* gone) {
            delete gone;
            ended->set_value();
          }};
}

bool happens(const std::shared_ptr<std::promise<void>>& what) {
  return what->get_future().wait_for(20s) == std::future_status::ready;
}

} // namespace

TEST_CASE("a transport that is released on its own thread ends there, and frees everything") {
  const auto gone = std::make_shared<std::promise<void>>();
  transport_options options;
  options.system = network_with_end(gone);
  auto net = std::make_shared<transport>(options);
  options.system.reset();
  net->listen("127.0.0.1", 0);
  auto& same = *net;
  same.dial("127.0.0.1", port_of(listen_at("127.0.0.1", 0).get()), true,
            [last = std::move(net)](transport::dialed_connection) {});
  CHECK(happens(gone));
}

TEST_CASE("a transport ends in time although its thread hangs; the thread frees everything later") {
  struct state {
    std::binary_semaphore hangs{0}, goes_on{0};
  };
  const auto shared = std::make_shared<state>();
  const auto gone = std::make_shared<std::promise<void>>();
  transport_options options;
  options.system = network_with_end(gone);
  options.warn = [shared](const std::string&) {
    shared->hangs.release();
    shared->goes_on.acquire();
  };
  auto net = std::make_unique<transport>(options);
  options.system.reset();
  const auto port = net->listen("127.0.0.1", 0);
  net->accept([](open_connection) {});
  {
    const auto noise = knock(port);
    const std::string nothing_sensible(100, 'x');
    REQUIRE(::send(noise.get(), nothing_sensible.data(), nothing_sensible.size(), MSG_NOSIGNAL) > 0);
    shared->hangs.acquire(); // while it logs the refusal of this connection
  }
  auto ended = std::async(std::launch::async, [&] { net.reset(); });
  const bool in_time = ended.wait_for(8s) == std::future_status::ready;
  CHECK(troupe::threads_are_left());
  shared->goes_on.release(); // also for a transport that waits for its thread
  CHECK(in_time);
  CHECK(happens(gone));
}

TEST_CASE("frees what a taker owns without the lock under which takers are called") {
  struct asks_again {
    transport* net = nullptr;
    ~asks_again() {
      if (net) net->stop_listening();
    }
  };
  const auto over = std::make_shared<std::promise<void>>();
  auto ended = over->get_future();
  auto net = std::make_shared<transport>(transport_options{});
  net->listen("127.0.0.1", 0);
  auto last = std::make_shared<asks_again>();
  last->net = net.get();
  net->accept([held = std::move(last)](open_connection) {});
  // This would deadlock if it were freed under the lock.
  std::thread([net, over]() mutable {
    net->stop_listening();
    over->set_value();
  }).detach();
  CHECK(ended.wait_for(10s) == std::future_status::ready);
}

TEST_CASE("the taker of its connections may end a transport") {
  const auto gone = std::make_shared<std::promise<void>>();
  transport_options options;
  options.system = network_with_end(gone);
  auto net = std::make_unique<transport>(options);
  options.system.reset();
  const auto port = net->listen("127.0.0.1", 0);
  auto& same = *net;
  const auto owner = std::make_shared<std::unique_ptr<transport>>(std::move(net));
  same.accept([owner](open_connection) { owner->reset(); });
  transport other{transport_options{}};
  const auto made = other.dial("127.0.0.1", port);
  CHECK(happens(gone));
}

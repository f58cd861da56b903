#include "runtime/transport/watchdog.hpp"
#include "tests/unit/transport/connected_pair.hpp"

#include <catch2/catch.hpp>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;

namespace {

using names = std::vector<std::string>;

/// True if this end finds the connection closed.
bool is_closed(const socket_guard& socket) {
  char byte;
  return ::recv(socket.get(), &byte, 1, 0) == 0;
}

names names_of(const std::vector<watchdog::cut>& cuts) {
  names found;
  for (const auto& one : cuts) found.push_back(one.peer + (one.why == incident::cut_silent ? "" : ", not introduced"));
  return found;
}

/// A watchdog that is polled at its pace.
struct patrol {
  patrol() { dog.poll(now); }
  names look_for(std::chrono::milliseconds time) {
    names cut;
    for (const auto until = now + time; now < until;) {
      now += watchdog::pace;
      for (auto& one : names_of(dog.poll(now))) cut.push_back(one);
    }
    return cut;
  }
  watchdog dog;
  /// A simulated time; connections record activity with the real clock.
  steady_time now = std::chrono::steady_clock::now();
};

} // namespace

TEST_CASE("cuts a silent connection once, after the limit") {
  patrol one;
  connected_pair sockets;
  const auto liveness = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  one.dog.add(liveness);
  CHECK(one.look_for(800ms).empty());
  CHECK_FALSE(is_closed(sockets.accepted));
  CHECK(one.look_for(400ms) == names{"10.0.0.1"});
  CHECK(is_closed(sockets.accepted));
  CHECK(is_closed(sockets.dialed));
  CHECK(one.look_for(2s).empty());
}

TEST_CASE("cuts the connection later on which bytes arrived later") {
  patrol one;
  connected_pair heard;
  connected_pair silent;
  const auto liveness = std::make_shared<connection_liveness>(heard.dialed.get(), "10.0.0.1");
  const auto other = std::make_shared<connection_liveness>(silent.dialed.get(), "10.0.0.2");
  one.dog.add(liveness);
  one.dog.add(other);
  while (liveness->heard_at() < other->heard_at() + 5ms) liveness->heard();
  CHECK(one.look_for(800ms).empty());
  CHECK(names_of(one.dog.poll(other->heard_at() + 902ms)) == names{"10.0.0.2"});
  CHECK(is_closed(silent.accepted));
  CHECK_FALSE(is_closed(heard.accepted));
  CHECK(names_of(one.dog.poll(liveness->heard_at() + 902ms)) == names{"10.0.0.1"});
}

TEST_CASE("each connection has its own limit") {
  patrol one;
  connected_pair strict, patient;
  const auto liveness = std::make_shared<connection_liveness>(strict.dialed.get(), "10.0.0.1", 300ms);
  const auto other = std::make_shared<connection_liveness>(patient.dialed.get(), "10.0.0.2", 3s);
  for (const auto& each : {liveness, other}) {
    each->introduced();
    one.dog.add(each);
  }
  CHECK(one.look_for(200ms).empty());
  CHECK(one.look_for(300ms) == names{"10.0.0.1"});
  CHECK(one.look_for(2s).empty());
  CHECK(one.look_for(1s) == names{"10.0.0.2"});
}

TEST_CASE("does not cut connections because this process itself was paused") {
  patrol one;
  connected_pair sockets;
  const auto liveness = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  one.dog.add(liveness);
  CHECK(one.look_for(500ms).empty());
  one.now += 10s;
  CHECK(one.dog.poll(one.now).empty());
  CHECK(one.look_for(900ms).empty()); // the limit starts again from now
  CHECK_FALSE(is_closed(sockets.accepted));
  CHECK(one.look_for(100ms) == names{"10.0.0.1"});
}

TEST_CASE("a short delay of this process does not extend the limit") {
  patrol one;
  connected_pair sockets;
  const auto liveness = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  one.dog.add(liveness);
  names cut;
  for (int i = 0; i < 5; ++i) {
    one.now += 3 * watchdog::pace;
    for (auto& each : names_of(one.dog.poll(one.now))) cut.push_back(each);
  }
  CHECK(cut == names{"10.0.0.1"});
}

TEST_CASE("counts connections by address, until they end") {
  watchdog dog;
  connected_pair sockets;
  const auto first = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  const auto second = std::make_shared<connection_liveness>(sockets.accepted.get(), "10.0.0.1");
  const auto third = std::make_shared<connection_liveness>(sockets.accepted.get(), "10.0.0.2");
  for (const auto& one : {first, second, third}) dog.add(one);
  CHECK(dog.open("10.0.0.1").all == 3);
  CHECK(dog.open("10.0.0.1").of_network == 2);
  CHECK(dog.open("10.0.0.9").of_network == 0);
  second->end();
  CHECK(second->ended());
  CHECK(dog.open("10.0.0.1").all == 2);
  CHECK(dog.open("10.0.0.1").of_network == 1);
}

TEST_CASE("counts the IPv6 addresses of one /64 together") {
  watchdog dog;
  connected_pair sockets;
  std::vector<std::shared_ptr<connection_liveness>> all;
  for (const auto* peer : {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", "10.0.0.1"}) {
    all.push_back(std::make_shared<connection_liveness>(sockets.dialed.get(), peer));
    dog.add(all.back());
  }
  CHECK(dog.open("2001:db8:1:2::/64").of_network == 2);
  CHECK(dog.open("2001:db8:1:3::/64").of_network == 1);
  CHECK(dog.open("10.0.0.1").of_network == 1);
}

TEST_CASE("an ended connection_liveness cuts nothing: its descriptor may belong to another socket by now") {
  patrol one;
  connected_pair sockets;
  const auto liveness = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  one.dog.add(liveness);
  liveness->end();
  liveness->cut();
  CHECK(one.look_for(3s).empty());
  CHECK_FALSE(is_closed(sockets.accepted));
}

TEST_CASE("does not cut a connection that this process does not read") {
  patrol one;
  connected_pair sockets;
  const auto liveness = std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
  one.dog.add(liveness);
  liveness->introduced();
  liveness->hold();
  CHECK(one.look_for(5s).empty());
  liveness->release();
  one.now = std::chrono::steady_clock::now(); // bytes arrived just now, by the real clock
  CHECK(one.look_for(800ms).empty());
  CHECK(one.look_for(400ms) == names{"10.0.0.1"});
}

TEST_CASE("cuts a peer that does not introduce itself, however much it sends") {
  patrol one;
  connected_pair polite;
  connected_pair rude;
  const auto introduced = std::make_shared<connection_liveness>(polite.dialed.get(), "10.0.0.1", 60s);
  const auto anonymous = std::make_shared<connection_liveness>(rude.dialed.get(), "10.0.0.2", 60s);
  one.dog.add(introduced);
  one.dog.add(anonymous);
  introduced->introduced();
  CHECK(one.look_for(watchdog::introduction_limit - 100ms).empty());
  CHECK(one.look_for(1s) == names{"10.0.0.2, not introduced"});
  CHECK(is_closed(rude.accepted));
  CHECK_FALSE(is_closed(polite.accepted));
}

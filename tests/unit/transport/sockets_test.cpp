#include "runtime/transport/dial_policy.hpp"
#include "runtime/transport/sockets.hpp"
#include "runtime/transport/transport.hpp"
#include "tests/unit/transport/black_hole.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <catch2/catch.hpp>

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>

#include <troupe/address.hpp>
#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using steady = std::chrono::steady_clock;

namespace {

/// The addresses of the name "several.test", in order.
std::vector<std::string> several;

} // namespace

// This test program resolves one name that the system does not know.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto systems = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!name || std::string_view{name} != "several.test") return systems(name, service, hints, found);
  auto** end = found;
  for (const auto& one : several) {
    if (const int failed = systems(one.c_str(), service, hints, end); failed != 0) return failed;
    while (*end) end = &(*end)->ai_next;
  }
  return 0;
}

namespace {

/// The outcome of a dial to a port where nothing answers the handshake.
std::string failure_of(const std::string& host, std::uint16_t port, std::chrono::milliseconds deadline) {
  transport_options options;
  options.dial_deadline = deadline;
  transport net{options};
  try {
    net.dial(host, port);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

std::string listening_failure(const std::string& address, std::uint16_t port) {
  try {
    listen_at(address, port);
  } catch (const socket_error& e) {
    return e.what();
  }
  return "none";
}

} // namespace

TEST_CASE("reaches a name's good address although another one drops everything") {
  const auto good = listen_at("127.0.0.1", 0);
  const auto port = port_of(good.get());
  const black_hole bad{"127.0.0.2", port};
  several = GENERATE(std::vector<std::string>{"127.0.0.2", "127.0.0.1"},
                     std::vector<std::string>{"127.0.0.2", "127.0.0.2", "127.0.0.1"},
                     std::vector<std::string>{"127.0.0.3", "127.0.0.2", "127.0.0.1"}, // nothing listens at 127.0.0.3
                     std::vector<std::string>{"127.0.0.1", "127.0.0.2"});
  CHECK_THAT(failure_of("several.test", port, 1s), Contains("connected, but the other end does not answer"));
  const socket_guard accepted{::accept(good.get(), nullptr, nullptr)};
  CHECK(accepted.get() >= 0);
}

TEST_CASE("connecting ends at its time limit") {
  const auto free = listen_at("127.0.0.1", 0);
  const auto port = port_of(free.get());
  const black_hole bad{"127.0.0.2", port};
  const auto begin = steady::now();
  CHECK(failure_of("127.0.0.2", port, 200ms) == "connecting timed out");
  CHECK(steady::now() - begin >= 200ms);
  CHECK(steady::now() - begin < 2s);
}

TEST_CASE("reports why no address answers") {
  auto closed = listen_at("127.0.0.1", 0);
  const auto port = port_of(closed.get());
  closed = socket_guard{};
  CHECK(failure_of("127.0.0.1", port, 5s) == "Connection refused");
  several = {"127.0.0.1", "127.0.0.2"};
  CHECK(failure_of("several.test", port, 5s) == "Connection refused");
  CHECK_THAT(failure_of("a name with spaces", port, 5s), Contains("cannot resolve a name with spaces: "));
}

TEST_CASE("sets up a connection for small messages, and with a limit for a dead peer") {
  const auto listening = listen_at("127.0.0.1", 0);
  const auto connected = knock(port_of(listening.get()));
  tune(connected.get());
  int on = 0;
  socklen_t size = sizeof on;
  REQUIRE(::getsockopt(connected.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
  CHECK(on != 0);
  char byte;
  CHECK(::recv(connected.get(), &byte, 1, 0) < 0); // without waiting
  CHECK(errno == EAGAIN);
}

TEST_CASE("reports where and why it cannot listen") {
  const auto first = listen_at("127.0.0.1", 0);
  const auto port = port_of(first.get());
  CHECK(port != 0);
  CHECK(listening_failure("127.0.0.1", port) ==
        "cannot listen at 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  CHECK_THAT(listening_failure("192.0.2.1", 0), Contains("cannot listen at 192.0.2.1:0: "));
}

TEST_CASE("without an address, listens on all interfaces") {
  const auto listening = listen_at("", 0);
  const auto connected = knock(port_of(listening.get()));
  CHECK(peer_of(connected.get()) == "127.0.0.1");
  CHECK(wait_readable(listening.get(), steady::now() + 10s));
}

TEST_CASE("waiting ends at its time limit, or when the socket is ready") {
  const auto listening = listen_at("127.0.0.1", 0);
  const auto begin = steady::now();
  CHECK_FALSE(wait_readable(listening.get(), begin + 50ms));
  CHECK(steady::now() - begin >= 50ms);
  CHECK_FALSE(wait_readable(listening.get(), begin)); // a time in the past
  const auto connected = knock(port_of(listening.get()));
  CHECK(wait_readable(listening.get(), steady::now() + 10s));
  CHECK(wait_writable(connected.get(), steady::now() + 10s));
}

TEST_CASE("a socket has one owner, and the last one closes it") {
  const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) >= 0; };
  socket_guard first{::socket(AF_INET, SOCK_STREAM, 0)};
  const int fd = first.get();
  REQUIRE(fd >= 0);
  socket_guard second{std::move(first)};
  CHECK(second.get() == fd);
  CHECK(is_open(fd));
  second = socket_guard{};
  CHECK_FALSE(is_open(fd));
  socket_guard third{::socket(AF_INET, SOCK_STREAM, 0)};
  const int released = third.release();
  CHECK(third.get() == -1);
  CHECK(is_open(released));
  second = socket_guard{released};
}

TEST_CASE("a closed socket has no peer address") { CHECK(peer_of(-1) == "?"); }

TEST_CASE("writes an IPv4 address as such on an IPv6 socket too") {
  const auto listening = listen_at("::", 0);
  const auto guest = knock(port_of(listening.get()), "127.0.0.7");
  REQUIRE(wait_readable(listening.get(), steady::now() + 10s));
  const socket_guard accepted{::accept(listening.get(), nullptr, nullptr)};
  CHECK(peer_of(accepted.get()) == "127.0.0.7");
}

TEST_CASE("limits count IPv4 addresses, and networks of IPv6") {
  CHECK(network_of("127.0.0.7") == "127.0.0.7");
  CHECK(network_of("?") == "?");
  CHECK(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:3::1") == "2001:db8:1:3::/64");
  CHECK(network_of("fe80::1%eth0") == "fe80::/64");
  CHECK(network_of("::1") == "::/64");
}

TEST_CASE("a dial has one deadline from its start to the end of its opening") {
  // Five addresses that drop everything take 750 ms, and the sixth does not answer either.
  several.clear();
  const auto silent = listen_at("127.0.0.16", 0);
  const auto port = port_of(silent.get());
  std::vector<std::unique_ptr<black_hole>> holes;
  for (int i = 11; i <= 15; ++i) {
    several.push_back("127.0.0." + std::to_string(i));
    holes.push_back(std::make_unique<black_hole>(several.back(), port));
  }
  several.emplace_back("127.0.0.16");
  transport_options options;
  options.dial_deadline = 1s;
  transport net{options};
  const auto began = steady::now();
  CHECK_THROWS_WITH(net.dial("several.test", port), Contains("does not answer in time"));
  const auto took = steady::now() - began;
  CHECK(took >= 1s);
  CHECK(took < 1500ms);
}

TEST_CASE("recognizes addresses that mean only this machine") {
  for (const auto* here : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) {
    INFO(here);
    CHECK(troupe::is_loopback(here));
  }
  for (const auto* not_only : {"", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "127.0.0.1.example", "localhost.example",
                               "::ffff:127.0.0.1", "fe80::1", "1"}) {
    INFO(not_only);
    CHECK_FALSE(troupe::is_loopback(not_only));
  }
}

TEST_CASE("listening on this machine only is decided by the address, not by its name") {
  CHECK(listen_at("127.0.0.1", 0, true).get() >= 0);
  CHECK(listen_at("localhost", 0, true).get() >= 0);
  for (const auto* elsewhere : {"", "0.0.0.0", "::"}) {
    INFO(elsewhere);
    CHECK_THROWS_WITH(listen_at(elsewhere, 0, true), Catch::Contains("is not a loopback address"));
  }
  transport_options options;
  options.dials = dial_policy::this_machine;
  transport careful{options};
  CHECK_THROWS_WITH(careful.listen("0.0.0.0", 0), Catch::Contains("is not a loopback address"));
}

TEST_CASE("without TLS and the insecure option a node dials only its own machine", "[sockets]") {
  const auto careful = dial_policy_of(false, false);
  const auto refuses = [](const std::string& host, dial_policy policy) {
    const resolved_host found{host, 1};
    return !objection(host, *found.first()->ai_addr, policy).empty();
  };
  for (const auto* host : {"127.0.0.1", "127.200.3.4", "::1", "localhost", "127.1", "2130706433"}) {
    INFO(host);
    CHECK_FALSE(refuses(host, careful));
  }
  for (const auto* host :
       {"10.99.0.1", "192.0.2.1", "128.0.0.1", "0.0.0.0", "::", "fe80::1", "2001:db8::1", "::ffff:127.0.0.1"}) {
    INFO(host);
    CHECK(refuses(host, careful));
    for (const auto policy : {dial_policy_of(true, false), dial_policy_of(false, true), dial_policy_of(true, true)})
      CHECK_FALSE(refuses(host, policy));
  }
}

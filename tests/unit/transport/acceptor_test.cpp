#include "runtime/transport/acceptor.hpp"
#include "tests/unit/transport/certificates.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <vector>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using steady = std::chrono::steady_clock;

namespace {

struct recording_owner : acceptor_owner {
  credentials current_credentials() override { return mine; }
  std::pair<std::size_t, std::size_t> open_connections(const std::string& peer) override {
    asked_for.push_back(peer);
    return open;
  }
  void passed(socket_guard socket, std::unique_ptr<channel> stream, const std::string& peer) override {
    passes.push_back({std::move(socket), std::move(stream), peer});
  }
  void refused(const std::string& peer, incident kind, const std::string& why) override {
    refusals.push_back(peer + ": " + why);
    kinds.push_back(kind);
  }

  struct pass {
    socket_guard socket;
    std::unique_ptr<channel> stream;
    std::string peer;
  };
  credentials mine;
  std::pair<std::size_t, std::size_t> open{0, 0};
  std::vector<std::string> asked_for;
  std::vector<pass> passes;
  std::vector<std::string> refusals;
  std::vector<incident> kinds;
};

/// An acceptor that runs on the test's thread.
struct test_acceptor {
  explicit test_acceptor(const acceptor_options& options = {}) {
    auto listening = listen_at("127.0.0.1", 0);
    port = port_of(listening.get());
    door = std::make_unique<acceptor>(io, options, owner, std::move(listening));
  }
  /// Runs until the condition holds, at most ten seconds.
  template <class F> void run_until(F&& so) {
    const auto until = steady::now() + 10s;
    while (!so()) {
      io.run_one_for(20ms);
      if (steady::now() > until) FAIL("it does not happen in ten seconds");
    }
  }
  void run_until_refused(std::size_t count) {
    run_until([&] { return owner.refusals.size() >= count; });
  }
  /// Runs until all connections made so far are in their opening: a further one that disconnects is noticed after them.
  void run_until_all_are_in() {
    knock(port);
    const auto left = [](const std::string& refusal) { return refusal.ends_with(": closed before it sent anything"); };
    run_until([&] { return std::erase_if(owner.refusals, left) > 0; });
  }

  boost::asio::io_context io{1};
  recording_owner owner;
  std::uint16_t port = 0;
  std::unique_ptr<acceptor> door;
};

/// A client that opens a connection as a node does.
struct dialer {
  dialer(std::uint16_t port, const credentials& mine, const std::string& from = "127.0.0.1")
      : socket(knock(port, from)) {
    talk.emplace(side::dialed, socket.get(), mine);
  }
  /// True when the opening is done.
  bool step() {
    if (!talk) return true;
    try {
      if (talk->step() != opening::wants::nothing) return false;
      stream = talk->take_channel();
    } catch (const opening_error& e) {
      failure = e.what();
    }
    talk.reset();
    return true;
  }
  socket_guard socket;
  std::optional<opening> talk;
  std::unique_ptr<channel> stream;
  std::string failure;
};

} // namespace

TEST_CASE("passes on a connection that completes its opening, with its address") {
  test_acceptor one;
  dialer first{one.port, {}};
  dialer second{one.port, {}, "127.0.0.3"};
  one.run_until([&] { return first.step() && second.step() && one.owner.passes.size() == 2; });
  REQUIRE(first.stream);
  REQUIRE(second.stream);
  CHECK(one.owner.refusals.empty());
  std::vector<std::string> peers{one.owner.passes[0].peer, one.owner.passes[1].peer};
  std::sort(peers.begin(), peers.end());
  CHECK(peers == std::vector<std::string>{"127.0.0.1", "127.0.0.3"});
  // The acceptor has released the connection: ending the acceptor does not affect it.
  one.door.reset();
  char byte = 'x';
  CHECK(one.owner.passes[0].stream->write(&byte, 1).bytes == 1);
}

TEST_CASE("reports a failed opening to the owner and continues with the others") {
  test_acceptor one;
  one.owner.mine.secret = "a secret of the cluster";
  dialer wrong{one.port, {{}, "another secret"}, "127.0.0.9"};
  dialer right{one.port, {{}, "a secret of the cluster"}};
  one.run_until(
      [&] { return wrong.step() && right.step() && !one.owner.passes.empty() && !one.owner.refusals.empty(); });
  CHECK(one.owner.refusals == std::vector<std::string>{"127.0.0.9: the other end has another cluster secret, or none"});
  CHECK(wrong.failure == "the other end has another cluster secret, or none");
  CHECK(right.stream);
}

TEST_CASE("closes an opening that takes too long") {
  acceptor_options hasty;
  hasty.opening_timeout = 200ms;
  test_acceptor one{hasty};
  const auto hello = secret_handshake{side::dialed, "", std::string(32, 'n')}.take_output();
  const auto silent = knock(one.port);
  const auto half = knock(one.port);
  REQUIRE(send_all(half.get(), hello.substr(0, 30)));
  const auto begin = steady::now();
  one.run_until_refused(2);
  CHECK(steady::now() - begin >= 200ms);
  for (const auto& refusal : one.owner.refusals) CHECK(refusal == "127.0.0.1: its opening took too long");
  for (const auto kind : one.owner.kinds) CHECK(kind == incident::opening_failed);
  CHECK(await_bytes(silent.get()).empty());
  CHECK(await_bytes(half.get()).empty());
}

TEST_CASE("a new opening displaces the oldest of its address, and none of another address") {
  acceptor_options narrow;
  narrow.max_openings_per_address = 3;
  test_acceptor one{narrow};
  const auto other = knock(one.port, "127.0.0.5");
  std::vector<socket_guard> crowd;
  for (int i = 0; i < 3; ++i) crowd.push_back(knock(one.port, "127.0.0.4"));
  one.run_until_all_are_in();
  CHECK(one.owner.refusals.empty());
  crowd.push_back(knock(one.port, "127.0.0.4"));
  one.run_until_refused(1);
  CHECK(one.owner.refusals.at(0) == "127.0.0.4: newer connections displaced it before its opening was complete");
  one.run_until_all_are_in();
  CHECK(one.owner.refusals.size() == 1);
  CHECK(await_bytes(crowd[0].get()).empty());
  for (std::size_t i = 1; i < crowd.size(); ++i) CHECK(is_quiet(crowd[i].get()));
  CHECK(is_quiet(other.get()));
}

TEST_CASE("a new opening displaces the oldest of all addresses") {
  acceptor_options narrow;
  narrow.max_openings = 3;
  test_acceptor one{narrow};
  std::vector<socket_guard> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.push_back(knock(one.port, "127.0.0." + std::to_string(10 + i)));
    one.run_until([&] { return one.owner.asked_for.size() == static_cast<std::size_t>(i) + 1; });
  }
  CHECK(one.owner.refusals ==
        std::vector<std::string>{"127.0.0.10: newer connections displaced it before its opening was complete"});
  CHECK(await_bytes(crowd[0].get()).empty());
  for (std::size_t i = 1; i < crowd.size(); ++i) CHECK(is_quiet(crowd[i].get()));
}

TEST_CASE("the acceptors of a process share its openings: each displaces its own oldest, and may always have one") {
  const auto before = troupe::opening_descriptors.held();
  {
    acceptor_options narrow;
    narrow.max_openings_of_process = before + 3;
    test_acceptor one{narrow};
    test_acceptor other{narrow};
    std::vector<socket_guard> crowd;
    const auto arrive = [&](test_acceptor& at) {
      const auto seen = at.owner.asked_for.size();
      crowd.push_back(knock(at.port));
      at.run_until([&] { return at.owner.asked_for.size() > seen; });
    };
    for (int i = 0; i < 3; ++i) arrive(one);
    CHECK(one.owner.refusals.empty());
    arrive(other);
    CHECK(other.owner.refusals.empty());
    arrive(other);
    CHECK(other.owner.refusals.size() == 1);
    arrive(one);
    CHECK(one.owner.refusals.size() == 2); // the other acceptor has one of the three
    CHECK(troupe::opening_descriptors.held() == before + 3);
  }
  CHECK(troupe::opening_descriptors.held() == before);
}

TEST_CASE("openings count towards the limit of connections: one more displaces the oldest") {
  acceptor_options narrow;
  narrow.max_connections = 10;
  narrow.max_connections_per_address = 8;
  test_acceptor one{narrow};
  const auto pushed_out = [](const std::string& peer) {
    return std::vector<std::string>{peer + ": newer connections displaced it before its opening was complete"};
  };
  SECTION("in total") {
    one.owner.open = {8, 0};
    const auto first = knock(one.port, "127.0.0.20");
    const auto second = knock(one.port, "127.0.0.21");
    one.run_until([&] { return one.owner.asked_for.size() == 2; });
    CHECK(one.owner.refusals.empty());
    const auto third = knock(one.port, "127.0.0.22");
    one.run_until([&] { return one.owner.asked_for.size() == 3; });
    CHECK(one.owner.refusals == pushed_out("127.0.0.20"));
    CHECK(await_bytes(first.get()).empty());
    CHECK(is_quiet(second.get()));
    CHECK(is_quiet(third.get()));
  }
  SECTION("per address") {
    one.owner.open = {7, 7};
    const auto other = knock(one.port, "127.0.0.20");
    const auto first = knock(one.port, "127.0.0.21");
    one.run_until([&] { return one.owner.asked_for.size() == 2; });
    CHECK(one.owner.refusals.empty());
    const auto second = knock(one.port, "127.0.0.21");
    one.run_until([&] { return one.owner.asked_for.size() == 3; });
    CHECK(one.owner.refusals == pushed_out("127.0.0.21"));
    CHECK(await_bytes(first.get()).empty());
    CHECK(is_quiet(other.get()));
    CHECK(is_quiet(second.get()));
  }
  SECTION("existing openings, when the number of open connections has grown") {
    std::vector<socket_guard> crowd;
    for (int i = 0; i < 4; ++i) crowd.push_back(knock(one.port, "127.0.0." + std::to_string(20 + i)));
    one.run_until([&] { return one.owner.asked_for.size() == crowd.size(); });
    one.owner.open = {9, 0};
    crowd.push_back(knock(one.port, "127.0.0.30"));
    one.run_until([&] { return one.owner.asked_for.size() == crowd.size(); });
    CHECK(one.owner.refusals.size() == 4);
    CHECK(is_quiet(crowd.back().get()));
  }
}

TEST_CASE("with too many open connections, a dialer gets the reason") {
  acceptor_options narrow;
  narrow.max_connections = 10;
  narrow.max_connections_per_address = 4;
  test_acceptor one{narrow};
  const std::pair<std::size_t, std::size_t> too_many = GENERATE(std::pair{10, 0}, std::pair{4, 4});
  one.owner.open = too_many;
  dialer refused{one.port, {}, "127.0.0.6"};
  one.run_until([&] { return refused.step(); });
  CHECK(refused.failure == "the other end has too many connections");
  CHECK(one.owner.refusals == std::vector<std::string>{"127.0.0.6: too many connections are open"});
  CHECK(one.owner.kinds == std::vector<incident>{incident::refused_by_limit});
  CHECK(one.owner.asked_for == std::vector<std::string>{"127.0.0.6"});
  one.owner.open = {9, 3};
  dialer fine{one.port, {}, "127.0.0.6"};
  one.run_until([&] { return fine.step() && !one.owner.passes.empty(); });
  CHECK(fine.stream);
}

TEST_CASE("with too many open connections, a dialer that uses TLS gets no unencrypted reason") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  test_acceptor one;
  one.owner.mine.tls = tls_context::load(options_for(ca.issue("mine")));
  one.owner.open = {5000, 0};
  dialer refused{one.port, one.owner.mine};
  one.run_until([&] { return refused.step(); });
  CHECK_THAT(refused.failure, Contains("closed the connection"));
}

TEST_CASE("an acceptor that ends closes its openings and its listening socket") {
  test_acceptor one;
  const auto halfway = knock(one.port);
  one.run_until_all_are_in();
  one.door.reset();
  CHECK(await_bytes(halfway.get()).empty());
  CHECK_THROWS_AS(connect_to(one.port, 1s), socket_error);
  while (one.io.poll() > 0) {
  }
  CHECK(one.owner.refusals.empty());
  CHECK(one.io.stopped()); // nothing is left to do
}

TEST_CASE("without a free descriptor the acceptor waits without spinning, and accepts when there is one") {
  test_acceptor one;
  std::vector<socket_guard> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(knock(one.port));
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
  const int next = ::dup(crowd[0].get());
  ::close(next);
  rlimit none = usual;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto cpu = std::clock();
  const auto begin = steady::now();
  one.run_until_refused(6);
  const auto took = std::chrono::duration<double>(steady::now() - begin).count();
  const auto worked = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
  for (const auto& refusal : one.owner.refusals)
    CHECK(refusal == "any address: no file descriptor is left to accept connections");
  CHECK(took > 0.4);
  CHECK(worked < 0.25 * took);
  one.owner.refusals.clear();
  dialer late{one.port, {}};
  one.run_until([&] { return late.step() && one.owner.asked_for.size() == crowd.size() + 1; });
  CHECK(late.stream);
  for (const auto& waiting : crowd) CHECK(is_quiet(waiting.get()));
}

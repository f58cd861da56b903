// The cost of a peer that receives nothing or is down. TROUPE_LONG=1 runs the full size.
#include "runtime/transport/sockets.hpp"
#include "tests/process/steady_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

using namespace troupe::testing;
namespace net = troupe::net;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

double seconds_since(steady_clock::time_point then) {
  return std::chrono::duration<double>(steady_clock::now() - then).count();
}

/// A port at which the kernel drops new connections, because the accept queue is full.
class black_hole {
 public:
  explicit black_hole(std::uint16_t port) : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(listening_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* address = reinterpret_cast<const sockaddr*>(&at);
    REQUIRE(::bind(listening_.get(), address, sizeof at) == 0);
    REQUIRE(::listen(listening_.get(), 0) == 0);
    for (bool full = false; !full;) {
      REQUIRE(waiting_.size() < 64);
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(::connect(waiting_.back().get(), address, sizeof at)); // in progress, or it never ends
      pollfd connected{waiting_.back().get(), POLLOUT, 0};
      full = ::poll(&connected, 1, 100) == 0;
    }
  }

 private:
  net::socket_guard listening_;
  std::vector<net::socket_guard> waiting_;
};

/// Starts `count` nodes, which must be down, and returns the seconds until they have a leader.
double restart(cluster& nodes, std::size_t count) {
  const auto began = steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) nodes[i].start();
  wait_for("a leader", 20s, [&] { return nodes.leader().has_value(); });
  return seconds_since(began);
}

void kill_all(cluster& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].running()) nodes[i].process().kill();
}

} // namespace

TEST_CASE("a follower that is frozen under load costs the leader bounded memory, and catches up") {
  const auto stopped_for = std::getenv("TROUPE_LONG") ? 60s : 6s;
  ready_cluster nodes{3};
  const auto leader = nodes.wait_ready();
  const auto follower = nodes.follower();
  steady_writer writers{nodes, {16, 0ms, 4096, {leader}}};
  // Afterwards the leader's cache of recent entries (16 MiB) is full, and all other memory has grown.
  wait_for("the warm-up", 120s, [&] { return writers.acknowledged() >= 10'000; });
  auto& stopped = nodes[follower].process();
  const auto before = nodes[leader].process().resident_bytes();
  const auto acknowledged = writers.acknowledged();
  const auto written = [&] { return (writers.acknowledged() - acknowledged) * 4096; };
  // More than the limit of Raft's messages in flight to one follower.
  constexpr std::size_t enough = 8u << 20;
  stopped.signal(SIGSTOP);
  std::this_thread::sleep_for(stopped_for); // nap: the period of the measurement
  wait_for("enough writes", 60s, [&] { return written() > enough; });
  const auto after = nodes[leader].process().resident_bytes();
  std::cout << "follower stopped for " << stopped_for.count() << " s, " << (written() >> 20)
            << " MiB written meanwhile; the leader's memory went from " << (before >> 20) << " to " << (after >> 20)
            << " MiB\n";
  if (memory_is_measurable) CHECK(after < before + (8u << 20));
  stopped.signal(SIGCONT);
  const auto target = nodes[leader].status()["commit_index"].get<std::uint64_t>();
  const auto resumed = steady_clock::now();
  wait_for("catch-up of the follower", 60s,
           [&] { return nodes[follower].status()["applied_index"].get<std::uint64_t>() >= target; });
  std::cout << "caught up " << seconds_since(resumed) << " s after it resumed\n";
  CHECK(writers.stop() == std::vector<std::string>{});
}

TEST_CASE("a silent peer is noticed within the election timeout") {
  ready_cluster nodes{3};
  const auto follower = nodes.follower();
  const auto leader = nodes.wait_ready();
  const auto id = nodes[follower].status()["id"];
  nodes[follower].process().signal(SIGSTOP);
  const auto stopped = steady_clock::now();
  wait_for("loss of the link", 5s, [&] {
    const auto now = nodes[leader].status();
    for (const auto& member : now["members"])
      if (member["id"] == id) return !member["reachable"].get<bool>();
    return false;
  });
  std::cout << "a stopped peer was noticed after " << seconds_since(stopped) << " s\n";
  // The watchdog checks every 100 ms, and this test polls every 10 ms.
  CHECK(seconds_since(stopped) < 1.3);
  nodes[follower].process().signal(SIGCONT);
  nodes.wait_ready();
}

TEST_CASE("a black hole and a refusing address among the members do not delay an election after a restart") {
  ready_cluster nodes{5};
  std::vector<double> all, three;
  for (int round = 0; round < 3; ++round) {
    kill_all(nodes);
    all.push_back(restart(nodes, 5));
  }
  kill_all(nodes);
  black_hole hole{nodes[3].raft_port()}; // and connections to the fifth node are refused
  for (int round = 0; round < 3; ++round) {
    three.push_back(restart(nodes, 3));
    kill_all(nodes);
  }
  std::cout << "a leader after " << median(all) << " s with all five, " << median(three)
            << " s with three, a black hole and a refusal\n";
  CHECK(median(three) < median(all) + 1);
}

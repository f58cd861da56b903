// Nothing acknowledged is lost. TROUPE_LONG=1 runs the full size.
#include "tests/process/load.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <iostream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// Another node leads after the kill; if it is the one that takes the writes, a follower takes them from here on.
void kill_leader(cluster& nodes, load& writers) {
  const auto leader = nodes.wait_ready();
  nodes[leader].process().kill();
  const auto next = nodes.wait_ready();
  if (next == writers.through() || leader == writers.through()) writers.go_through(nodes.follower());
  nodes[leader].start();
  nodes.wait_ready();
  if (nodes.wait_ready() == writers.through()) writers.go_through(nodes.follower());
}

} // namespace

TEST_CASE("writes through a follower with 64 connections survive two kills of the leader") {
  const std::size_t writes = std::getenv("TROUPE_LONG") ? 20'000 : 2'000;
  constexpr std::size_t connections = 64;
  ready_cluster nodes{3};
  const auto began = steady_clock::now();
  load writers{nodes, writes, connections, nodes.follower()};
  for (const std::size_t third : {writes / 3, writes * 2 / 3}) {
    wait_for("acknowledged writes", 120s, [&] { return writers.acknowledged() >= third; });
    CHECK(writers.acknowledged() < writes - connections); // the kill comes in between, or it proves nothing
    kill_leader(nodes, writers);
  }
  writers.join();
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::cout << writers.acknowledged() << " writes acknowledged, " << writers.maybe() << " unknown, in " << took.count()
            << " ms with two kills\n";
  CHECK(writers.wrong() == std::vector<std::string>{});
  CHECK(writers.acknowledged() + writers.maybe() == writes);
  // At most what is in flight at a kill can be in doubt.
  CHECK(writers.maybe() <= 4 * connections);

  nodes.wait_ready();
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(writers.check(nodes[i]) == std::vector<std::string>{});
}

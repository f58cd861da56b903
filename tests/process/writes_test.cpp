// No acknowledged write is lost. TROUPE_LONG=1 runs the full size.
#include "tests/process/load.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <future>
#include <iostream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t connections = 64;

/// Allows the first `until` writes and kills the leader when half of the new ones are acknowledged. Before this
/// returns, the killed node has been restarted and the writes go through a follower.
void kill_leader_within(std::size_t until, cluster& nodes, load& writers) {
  const auto leader = nodes.wait_ready();
  writers.go_through({nodes.follower()});
  const auto left = until - writers.acknowledged() - writers.maybe();
  std::promise<std::size_t> killed_after;
  writers.at_acknowledged(writers.acknowledged() + left / 2, [&] {
    nodes[leader].process().kill();
    killed_after.set_value(writers.acknowledged() + writers.maybe());
  });
  writers.allow(until);
  auto killed = killed_after.get_future();
  REQUIRE(killed.wait_for(120s) == std::future_status::ready);
  // The kill must happen between the writes to prove anything.
  CHECK(killed.get() < until - connections);
  if (writers.goes_through(nodes.wait_ready())) writers.go_through({nodes.follower()});
  nodes[leader].start();
  if (writers.goes_through(nodes.wait_ready())) writers.go_through({nodes.follower()});
}

} // namespace

TEST_CASE("writes through a follower with 64 connections survive two kills of the leader") {
  const std::size_t writes = std::getenv("TROUPE_LONG") ? 20'000 : 2'000;
  ready_cluster nodes{3};
  const auto began = steady_clock::now();
  load writers{nodes.connector(), {writes, connections}, {nodes.follower()}};
  kill_leader_within(writes / 2, nodes, writers);
  wait_for("end of the first half", 120s, [&] { return writers.acknowledged() + writers.maybe() == writes / 2; });
  kill_leader_within(writes, nodes, writers);
  writers.join();
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::cout << writers.acknowledged() << " writes acknowledged, " << writers.maybe() << " unknown, in " << took.count()
            << " ms with two kills\n";
  CHECK(writers.wrong() == std::vector<std::string>{});
  CHECK(writers.acknowledged() + writers.maybe() == writes);
  // Only writes in flight at a kill can have an unknown outcome.
  CHECK(writers.maybe() <= 4 * connections);

  nodes.wait_ready();
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(writers.check(i) == std::vector<std::string>{});
}

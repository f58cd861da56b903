// Nodes stop on request.
#include "tests/process/folder.hpp"
#include "tests/process/load.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <iostream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// Requires that the node, which was signalled at `asked`, exits with code 0 in time.
void check_ends(server& node, steady_clock::time_point asked) {
  const auto code = node.process().wait(11s);
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - asked);
  INFO(node.name() << " after " << took.count() << " ms");
  REQUIRE(code.has_value());
  CHECK(*code == 0);
  CHECK(took < 10s);
}

} // namespace

TEST_CASE("under load, nodes exit with code 0 within 10 s of SIGTERM, and have all writes after a restart") {
  ready_cluster nodes{3};
  constexpr std::size_t endless = 1'000'000;
  load writers{nodes.connector(), {endless, 32}, {nodes.follower()}};
  writers.allow(endless);
  wait_for("first writes", 20s, [&] { return writers.acknowledged() >= 300; });
  const auto asked = steady_clock::now();
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].process().signal(SIGTERM);
  for (std::size_t i = 0; i < nodes.size(); ++i) check_ends(nodes[i], asked);
  std::cout << "three nodes exited under load within "
            << std::chrono::duration_cast<milliseconds>(steady_clock::now() - asked).count() << " ms\n";
  writers.stop();
  CHECK(writers.wrong() == std::vector<std::string>{});
  nodes.start();
  nodes.wait_ready();
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(writers.check(i) == std::vector<std::string>{});
}

TEST_CASE("after a restart of all nodes, each has all acknowledged writes") {
  ready_cluster nodes{3};
  load writers{nodes.connector(), {500, 16}, {nodes.follower()}};
  writers.allow(500);
  writers.join();
  const auto asked = steady_clock::now();
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].process().signal(i == 0 ? SIGINT : SIGTERM);
  for (std::size_t i = 0; i < nodes.size(); ++i) check_ends(nodes[i], asked);
  nodes.start();
  nodes.wait_ready();
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(writers.check(i) == std::vector<std::string>{});
}

TEST_CASE("when one node stops, the others keep serving") {
  ready_cluster nodes{3};
  const auto leader = nodes.wait_ready();
  nodes[leader].put("k", 1);
  nodes[leader].process().signal(SIGTERM);
  check_ends(nodes[leader], steady_clock::now());
  nodes.wait_ready();
  CHECK(nodes[(leader + 1) % 3].get("k") == 1);
}

TEST_CASE("a node without a cluster stops") {
  cluster nodes{3};
  nodes[0].start();
  wait_for("an answer from /livez", 10s, [&] { return nodes[0].call("GET", "/livez").status == 200; });
  CHECK(nodes[0].call("GET", "/readyz").status == 503);
  CHECK(nodes[0].status()["role"].is_null());
  nodes[0].process().signal(SIGTERM);
  check_ends(nodes[0], steady_clock::now());
}

TEST_CASE("a second run of the quickstart finds what the first one wrote") {
  const auto folder = make_folder();
  const auto data = (folder / "data").string();
  const auto port = std::to_string(free_ports(1).front());
  CHECK(run({TROUPE_QUICKSTART, data, port}, folder / "first.log") == 0);
  CHECK_THAT(read_text(folder / "first.log"), Catch::Contains("found revision 0"));
  CHECK_THAT(read_text(folder / "first.log"), Catch::Contains("ada is Countess of Lovelace"));
  CHECK(run({TROUPE_QUICKSTART, data, port}, folder / "second.log") == 0);
  CHECK_THAT(read_text(folder / "second.log"), !Catch::Contains("found revision 0"));
}

// A node at the limits of its state's size and of its open files.
#include "tests/process/cluster.hpp"
#include "tests/unit/http/wire.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("at the quota of the state, writes that add to it are refused until something is removed") {
  constexpr std::uint64_t quota = 200'000;
  ready_cluster nodes{3, lifetime::test_case, [](std::size_t) {
                        return std::vector<std::string>{"--max-state-bytes", std::to_string(quota)};
                      }};
  const std::string value = '"' + std::string(10'000, 'x') + '"';
  auto through = nodes[nodes.follower()].connect();
  int written = 0;
  auto answer = through.request("PUT", "/v1/maps/m/k0", value);
  while (answer.status == 200 && written < 100)
    answer = through.request("PUT", "/v1/maps/m/k" + std::to_string(++written), value);
  INFO(answer.body);
  REQUIRE(answer.status == 507);
  CHECK(written >= 18);
  CHECK(written <= 20);
  const auto why = json::parse(answer.body);
  CHECK(why["error"] == "state_full");
  CHECK(why["outcome"] == "rejected");
  CHECK(why["retryable"] == true);
  CHECK_THAT(why["message"].get<std::string>(), Contains(std::to_string(quota)));
  const auto swap = through.request("POST", "/v1/maps/m/new/cas", "{\"expected\": null, \"value\": " + value + "}");
  CHECK(swap.status == 507);
  // A write that does not add to the state is accepted.
  CHECK(through.request("PUT", "/v1/maps/m/k1", value).status == 200);
  CHECK(through.request("PUT", "/v1/maps/m/k1", '"' + std::string(10'001, 'x') + '"').status == 507);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(nodes[i].call("GET", "/v1/maps/m/k0").status == 200);
    const auto state = nodes[i].status()["state"];
    CHECK(state["quota"] == quota);
    CHECK(state["bytes"].get<std::uint64_t>() > quota - 20'000);
    CHECK(state["bytes"].get<std::uint64_t>() <= quota);
  }
  CHECK(through.request("DELETE", "/v1/maps/m/k0").status == 200);
  CHECK(through.request("PUT", "/v1/maps/m/again", value).status == 200);
  // The next leader also enforces the quota.
  const auto leader = nodes.leader().value();
  nodes[leader].process().kill();
  // It may accept one write while it has not applied everything yet.
  int attempts = 0, taken = 0;
  wait_for("a refusal of the next leader", 20s, [&] {
    const auto target = "/v1/maps/m/more" + std::to_string(++attempts);
    const auto status = nodes[(leader + 1) % 3].call("PUT", target, value).status;
    taken += status == 200;
    return status == 507;
  });
  CHECK(taken <= 1);
}

TEST_CASE("a node without free descriptors still opens new log files, and serves when connections close") {
  cluster nodes{1, lifetime::test_case, [](std::size_t) { return std::vector<std::string>{"--segment-size", "2MB"}; }};
  std::vector<std::string> limited{"/bin/sh", "-c", "ulimit -n 100 && exec \"$0\" \"$@\""};
  for (const auto& word : nodes[0].command()) limited.push_back(word);
  program node{limited, nodes[0].log_file()};
  wait_for("readiness of the node", 20s, [&] { return nodes[0].ready(); });
  auto early = nodes[0].connect();
  REQUIRE(early.request("GET", "/livez").status == 200);
  {
    std::vector<std::unique_ptr<troupe::http::testing::wire>> idle;
    for (int i = 0; i < 120; ++i) idle.push_back(std::make_unique<troupe::http::testing::wire>(nodes[0].http_port()));
    const std::string value = '"' + std::string(100'000, 'x') + '"';
    for (int i = 0; i < 60; ++i) // 6 MB
      REQUIRE(early.request("PUT", "/v1/maps/m/k" + std::to_string(i), value).status == 200);
  }
  wait_for("service of new connections", 20s, [&] { return nodes[0].ready(); });
  CHECK(nodes[0].status()["disk"] == "ok");
  CHECK(nodes[0].call("PUT", "/v1/maps/m/k", "1").status == 200);
  CHECK(node.running());
}

// Three nodes, one of which dies or freezes.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <iostream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// Retries the put through all running nodes until it succeeds.
void put_anywhere(cluster& nodes, const std::string& key, int value, milliseconds patience) {
  std::size_t next = 0;
  wait_for("a put of " + key, patience, [&] {
    auto& node = nodes[next++ % nodes.size()];
    const auto target = "/v1/maps/m/" + key + "?timeout=1s";
    return node.running() && node.call("PUT", target, std::to_string(value), 1500ms).status == 200;
  });
}

void wait_applied(server& node, std::uint64_t index) {
  wait_for(node.name() + " applying " + std::to_string(index), 10s,
           [&] { return node.status()["applied_index"].get<std::uint64_t>() >= index; });
}

} // namespace

TEST_CASE("three nodes elect a leader; each accepts writes and reads the last written value") {
  ready_cluster nodes{3};
  int value = 0;
  for (std::size_t writer = 0; writer < nodes.size(); ++writer) {
    nodes[writer].put("k", ++value);
    for (std::size_t reader = 0; reader < nodes.size(); ++reader) CHECK(nodes[reader].get("k") == value);
  }
  const auto status = nodes[nodes.follower()].status();
  CHECK(status["members"].size() == 3);
  CHECK(status["phase"] == "running");
  for (const auto& member : status["members"]) CHECK(member["voter"] == true);
}

TEST_CASE("the next write after a kill -9 of the leader succeeds within 2 s, and the killed node catches up") {
  ready_cluster nodes{3};
  nodes[0].put("before", 1);
  const auto leader = nodes.wait_ready();
  const auto term = nodes[leader].status()["term"].get<std::uint64_t>();
  nodes[leader].process().kill();
  const auto killed = steady_clock::now();
  put_anywhere(nodes, "after", 2, 10s);
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed);
  std::cout << "next write " << took.count() << " ms after the kill\n";
  CHECK(took < 2s);

  const auto next = nodes.wait_ready();
  const auto status = nodes[next].status();
  CHECK(status["term"].get<std::uint64_t>() > term);
  nodes[leader].start();
  wait_for("readiness of the restarted node", 10s, [&] { return nodes[leader].ready(); });
  wait_applied(nodes[leader], status["commit_index"].get<std::uint64_t>());
  CHECK(nodes[leader].get("before", "stale") == 1);
  CHECK(nodes[leader].get("after", "stale") == 2);
}

TEST_CASE("a frozen follower catches up after it resumes, without an election") {
  ready_cluster nodes{3};
  const auto frozen = nodes.follower();
  const auto leader = nodes.wait_ready();
  const auto term = nodes[leader].status()["term"];
  nodes[frozen].process().signal(SIGSTOP);
  int written = 0;
  // Longer than any election timeout, so that it resumes as a follower that has not heard from its leader.
  for (const auto end = steady_clock::now() + 1500ms; steady_clock::now() < end;) nodes[leader].put("k", ++written);
  nodes[frozen].process().signal(SIGCONT);
  CHECK(nodes[frozen].get("k") == written);
  wait_applied(nodes[frozen], nodes[leader].status()["commit_index"].get<std::uint64_t>());
  CHECK(nodes.wait_ready() == leader);
  CHECK(nodes[leader].status()["term"] == term);
}

TEST_CASE("a frozen leader does not return stale values after it resumes") {
  ready_cluster nodes{3};
  const auto old_leader = nodes.wait_ready();
  nodes[old_leader].put("k", 1);
  nodes[old_leader].process().signal(SIGSTOP);
  std::size_t other = (old_leader + 1) % nodes.size();
  wait_for("a write without the old leader", 10s,
           [&] { return nodes[other].call("PUT", "/v1/maps/m/k?timeout=1s", "2", 1500ms).status == 200; });
  nodes[old_leader].process().signal(SIGCONT);
  const auto answer = nodes[old_leader].call("GET", "/v1/maps/m/k");
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.body)["value"] == 2);
  nodes.wait_ready();
}

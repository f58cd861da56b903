// Nodes join, leave, are removed and are replaced, as docs/operations.md describes.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <memory>
#include <thread>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// A cluster that grows from its first node. All other nodes know only the first one, and only join.
class growing {
 public:
  explicit growing(std::vector<std::string> more = {}) : more_(std::move(more)) {
    auto first = more_;
    first.insert(first.end(), {"--bootstrap-expect", "1"});
    add({}, first);
    wait_for("readiness of the first node", 10s, [&] { return nodes_[0]->ready(); });
  }
  server& operator[](std::size_t i) { return *nodes_[i]; }
  /// Starts another node. It asks to join unless it expects to form a cluster.
  server& join(const std::string& expects = "0") {
    auto options = more_;
    options.insert(options.end(), {"--bootstrap-expect", expects});
    return add("static:127.0.0.1:" + std::to_string(nodes_[0]->raft_port()), options);
  }
  json members(std::size_t seen_by) { return body_of(nodes_[seen_by]->call("GET", "/v1/members"), "/v1/members"); }
  std::size_t voters(std::size_t seen_by) { return voters_of(members(seen_by)).size(); }
  /// The health of a member, as the first node sees it.
  std::string health_of(const std::string& id) {
    const auto now = members(0);
    for (const auto& m : now["members"])
      if (m["id"] == id) return m["health"];
    return "no member";
  }
  std::string id(std::size_t i) { return nodes_[i]->status()["id"]; }
  /// Requires that a node is not a member for `time`, in which leaders check several times which nodes ask to join.
  void require_out(const std::string& id, std::chrono::milliseconds time) {
    for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
      REQUIRE(health_of(id) == "no member");
      std::this_thread::sleep_for(20ms); // nap: polls, because it must not be a member at any time
    }
  }
  /// Waits until there are `count` voters and the last change of the members is committed.
  void wait_voters(std::size_t count, std::chrono::milliseconds patience = 20s) {
    wait_for(std::to_string(count) + " voters", patience, [&] { return nodes_[0]->has_voters(count); });
  }

 private:
  server& add(const std::string& discovery, const std::vector<std::string>& options) {
    const auto ports = free_ports(2);
    nodes_.push_back(std::make_unique<server>("n" + std::to_string(nodes_.size() + 1), folder_, ports[0], ports[1],
                                              discovery, options));
    nodes_.back()->start();
    return *nodes_.back();
  }

  std::filesystem::path folder_ = make_folder();
  std::vector<std::string> more_;
  std::vector<std::unique_ptr<server>> nodes_;
};

} // namespace

TEST_CASE("a cluster grows from one node to three, and each of them can lead") {
  growing nodes;
  nodes[0].put("before", 1);
  nodes.join();
  nodes.wait_voters(2);
  nodes.join();
  nodes.wait_voters(3);
  for (std::size_t i = 1; i < 3; ++i) {
    wait_for("readiness of a joined node", 10s, [&] { return nodes[i].ready(); });
    CHECK(nodes[i].get("before") == 1);
  }
  for (std::size_t i = 1; i < 3; ++i) {
    const auto moved = nodes[0].call("POST", "/v1/transfer?to=" + nodes.id(i));
    CHECK(moved.status == 200);
    CHECK(json::parse(moved.body)["leader"] == nodes.id(i));
    wait_for("leadership of the node", 5s, [&] { return nodes[i].status()["role"] == "leader"; });
    nodes[0].put("led by " + std::to_string(i), 2);
  }
  // The cluster no longer needs the first node.
  nodes[0].process().kill();
  wait_for("election among the other two", 10s, [&] { return nodes[1].ready() && nodes[2].ready(); });
  nodes[1].insist("after", 3);
  CHECK(nodes[2].get("after") == 3);
}

TEST_CASE("members are removed on demand and return after a restart; wrong requests are refused with reasons") {
  growing nodes;
  nodes.join();
  nodes.wait_voters(2);
  nodes.join();
  nodes.wait_voters(3);
  const auto gone = nodes.id(2);
  const auto stale = nodes[0].call("DELETE", "/v1/members/" + gone + "?based_on=1");
  CHECK(stale.status == 400);
  CHECK_THAT(stale.body, Contains("the members have changed"));
  CHECK(nodes[0].call("DELETE", "/v1/members/0000000000000abc").status == 400);
  CHECK(nodes[0].call("DELETE", "/v1/members/abc").status == 400);
  CHECK(nodes[0].call("POST", "/v1/members", R"({"id": 5})").status == 400);
  for (const auto* guard : {R"("1")", "-1", "1.0", "true", "null"}) {
    const auto answer = nodes[0].call("POST", "/v1/members",
                                      R"({"id": "00000000000000a1", "address": "127.0.0.1:1", "based_on": )" +
                                          std::string{guard} + "}");
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Contains("whole number"));
  }
  for (const std::string address : {"nonsense", "::1:5", "host:70000", "host:port", "http://x:1", "127.0.0.1:1\\n"}) {
    const auto answer =
        nodes[1].call("POST", "/v1/members", R"({"id": "00000000000000a1", "address": ")" + address + "\"}");
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Contains("host:port"));
  }
  CHECK(nodes[0]
            .call("POST", "/v1/members",
                  R"({"id": "00000000000000a1", "address": ")" + std::string(50'000, 'a') + R"(:1"})")
            .status == 400);
  CHECK(nodes[0].call("POST", "/v1/transfer?to=0000000000000abc").status == 400);
  const auto removed = nodes[1].call("DELETE", "/v1/members/" + gone);
  CHECK(removed.status == 200);
  CHECK(json::parse(removed.body)["configuration_index"] > 0);
  nodes.wait_voters(2);
  wait_for("notice of the removed node", 10s, [&] {
    const auto ready = nodes[2].call("GET", "/readyz");
    return ready.status != 200 &&
           nodes[2].status()["not_ready"].get<std::string>().find("was removed") != std::string::npos;
  });
  nodes[0].put("without it", 1);
  nodes.require_out(gone, 4s);
  nodes[2].process().kill();
  nodes[2].start();
  nodes.wait_voters(3);
  wait_for("return of the node", 10s, [&] { return nodes[2].ready(); });
  CHECK(nodes.id(2) == gone);
  CHECK(nodes[2].get("without it") == 1);
}

TEST_CASE("a node with --leave is removed when it stops; a leader that stops transfers leadership") {
  growing nodes{{"--leave"}};
  nodes.join();
  nodes.wait_voters(2);
  nodes.join();
  nodes.wait_voters(3);
  nodes[2].process().signal(SIGTERM);
  REQUIRE(nodes[2].process().wait(10s) == 0);
  nodes.wait_voters(2);
  CHECK_THAT(nodes[2].log(), Contains("has left the cluster"));

  growing others;
  others.join();
  others.wait_voters(2);
  others.join();
  others.wait_voters(3);
  REQUIRE(others[0].status()["role"] == "leader");
  others[0].process().signal(SIGTERM);
  REQUIRE(others[0].process().wait(10s) == 0);
  wait_for("election of a new leader", 5s, [&] { return others[1].ready() && others[2].ready(); });
  others[1].insist("on", 1);
  CHECK(others[2].get("on") == 1);
}

TEST_CASE("a dead member is reported, and an empty node replaces it on demand") {
  growing nodes;
  nodes.join();
  nodes.wait_voters(2);
  nodes.join();
  nodes.wait_voters(3);
  nodes[0].put("kept", 1);
  const auto dead = nodes.id(2);
  nodes[2].process().kill();
  wait_for("detection of the death", 20s, [&] { return nodes.health_of(dead) == "dead"; });
  // A node that expects to form a cluster does not ask to join, but can still be added.
  auto& next = nodes.join("2");
  wait_for("start of the new node", 10s, [&] { return next.call("GET", "/status").status == 200; });
  const auto id = next.status()["id"].get<std::string>();
  const auto body = json{{"id", id}, {"address", "127.0.0.1:" + std::to_string(next.raft_port())}, {"replaces", dead}};
  CHECK(nodes[1].call("POST", "/v1/members", body.dump()).status == 200);
  wait_for("the replacement", 20s, [&] { return nodes.health_of(dead) == "no member" && nodes.voters(0) == 3; });
  wait_for("readiness of the new node", 10s, [&] { return next.ready(); });
  CHECK(next.get("kept") == 1);
}

TEST_CASE("a member that has been dead for the grace period is replaced automatically when a new node joins") {
  growing nodes{{"--auto-remove", "--grace", "1s"}};
  nodes.join();
  nodes.wait_voters(2);
  nodes.join();
  nodes.wait_voters(3);
  const auto dead = nodes.id(2);
  nodes[2].process().kill();
  wait_for("detection of the death", 20s, [&] { return nodes.health_of(dead) == "dead"; });
  CHECK(nodes.voters(0) == 3); // with three voters, none is removed without a replacement
  nodes.join();
  wait_for("replacement of the dead member", 20s,
           [&] { return nodes.health_of(dead) == "no member" && nodes.voters(0) == 3; });
}

TEST_CASE("a node that was frozen for long is removed, and rejoins by itself") {
  growing nodes{{"--auto-remove", "--grace", "1s"}};
  for (std::size_t voters = 2; voters <= 4; ++voters) {
    nodes.join();
    nodes.wait_voters(voters);
  }
  const auto frozen = nodes.id(3);
  nodes[3].process().signal(SIGSTOP);
  wait_for("removal of the node", 30s, [&] { return nodes.health_of(frozen) == "no member"; });
  nodes[3].process().signal(SIGCONT);
  nodes.wait_voters(4);
  CHECK(nodes.id(3) == frozen);
  wait_for("readiness of the node", 10s, [&] { return nodes[3].ready(); });
}

// The rest of a cluster continues, by the procedures and commands of docs/operations.md.
#include "tests/process/maintenance.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <utility>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("after the loss of a majority, the survivor is recovered and empty nodes join it") {
  ready_cluster old{3};
  fill(old, 0);
  const auto expected = content(old[0], "linearizable");
  wait_for("replication to the survivor", 10s, [&] { return content(old[2], "stale") == expected; });
  for (std::size_t i = 0; i < 3; ++i) old[i].process().kill();
  const auto majority =
      run_program({TROUPE_LOG, "recover", "--yes", old[2].data_dir().string(), old[1].data_dir().string()});
  CHECK(majority.code == 2);
  CHECK_THAT(majority.text, Contains("2 of 3 members are named, which is a majority: start them"));
  const auto recovered = run_program({TROUPE_LOG, "recover", "--yes", old[2].data_dir().string()});
  INFO(recovered.text);
  REQUIRE(recovered.code == 0);
  CHECK_THAT(recovered.text, Contains("1 of 3 members named here"));
  const auto again =
      run_program({TROUPE_LOG, "recover", "--yes", old[2].data_dir().string(), old[1].data_dir().string()});
  CHECK(again.code == 0);
  CHECK_THAT(again.text, Contains("start it"));
  old[2].start();
  wait_for("election of the survivor", 20s, [&] { return old[2].ready(); });
  CHECK(content(old[2], "linearizable") == expected);

  // Uses the options that the command printed.
  const auto discovery = recovered.text.substr(recovered.text.find("static:"));
  const auto ports = free_ports(4);
  std::vector<std::unique_ptr<server>> fresh;
  for (std::size_t i = 0; i < 2; ++i) {
    fresh.push_back(std::make_unique<server>("fresh" + std::to_string(i), old[2].data_dir().parent_path(), ports[2 * i],
                                             ports[2 * i + 1], discovery.substr(0, discovery.find('\n')),
                                             std::vector<std::string>{"--bootstrap-expect", "0"}));
    fresh.back()->start();
  }
  wait_for("three voters", 20s,
           [&] { return voters_of(body_of(old[2].call("GET", "/v1/members"), "/v1/members")).size() == 3; });
  for (const auto& one : fresh) {
    wait_for(one->name(), 20s, [&] { return one->ready(); });
    CHECK(content(*one, "linearizable") == expected);
  }
}

TEST_CASE("a repaired node replaces its old self by the command that the repair prints") {
  ready_cluster nodes{3};
  fill(nodes, 0, 20);
  const auto damaged = nodes.follower();
  const auto& member = nodes[(damaged + 1) % 3];
  const auto voters = voters_of(body_of(member.call("GET", "/v1/members"), "/v1/members"));
  const auto old_id = nodes[damaged].status()["id"].get<std::string>();
  nodes[damaged].process().kill();
  for (const auto& file : std::filesystem::directory_iterator{nodes[damaged].data_dir() / "log"})
    if (file.path().extension() == ".wal") std::filesystem::resize_file(file.path(), 5000);
  const auto repaired = run_program({TROUPE_LOG, "repair", "--yes", nodes[damaged].data_dir().string()});
  INFO(repaired.text);
  REQUIRE(repaired.code == 0);
  auto command = repaired.text.substr(repaired.text.find("curl"));
  command.resize(command.find('\n'));
  // The log was truncated at its beginning, so the tool does not know the address.
  for (const auto& [name, value] :
       {std::pair{"MEMBER", member.http_port()}, {"HOST:RAFT-PORT", nodes[damaged].raft_port()}}) {
    REQUIRE_THAT(command, Contains(name));
    command.replace(command.find(name), std::string{name}.size(), "127.0.0.1:" + std::to_string(value));
  }
  nodes[damaged].start();
  wait_for("start of the repaired node", 10s, [&] { return nodes[damaged].call("GET", "/status").status == 200; });
  const auto replaced = run_program({"/bin/sh", "-c", command});
  INFO(replaced.text);
  REQUIRE(replaced.code == 0);
  wait_for("readiness of the repaired node", 20s, [&] { return nodes[damaged].ready(); });
  wait_for("promotion of the repaired node", 20s, [&] {
    const auto now = voters_of(body_of(member.call("GET", "/v1/members"), "/v1/members"));
    return now.size() == 3 && !now.contains(old_id);
  });
  CHECK(voters.contains(old_id));
  CHECK(content(nodes[damaged], "linearizable", 20) == content(member, "linearizable", 20));
}

TEST_CASE("a new cluster starts with the snapshot of a last survivor whose log is damaged") {
  ready_cluster old{1};
  fill(old, 0, 20);
  const auto expected = content(old[0], "linearizable", 20);
  REQUIRE(old[0].call("POST", "/v1/snapshot").status == 200);
  old[0].process().kill();
  for (const auto& file : std::filesystem::directory_iterator{old[0].data_dir() / "log"})
    if (file.path().extension() == ".wal") std::filesystem::resize_file(file.path(), 5000);
  const auto refused = run_program({TROUPE_LOG, "recover", "--yes", old[0].data_dir().string()});
  INFO(refused.text);
  REQUIRE(refused.code == 1);
  auto snapshot = refused.text.substr(refused.text.find("--restore ") + 10);
  snapshot.resize(snapshot.find(' '));
  cluster fresh{1, lifetime::test_case, restoring(snapshot, {0})};
  fresh.start();
  fresh.wait_ready();
  CHECK(content(fresh[0], "linearizable", 20) == expected);
}

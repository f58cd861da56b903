// Tests the procedures of docs/operations.md. Every procedure has a test, in this file ("here") or in another one:
//
//   Backup; Restore into a new cluster          backup_test; eight downloads: tests/actor/snapshot_store_test
//   Restore into a running cluster              backup_test; exit codes, interruption: tests/unit/offline/upload_test;
//                                               by curl, `stage`, a third backup: here
//   Members come and go                         members_test; adding a node by its id: here
//   A node is not ready                         here; certificates: tls_test
//   The state is too large; Descriptors ...     limits_test
//   A disk is full, hangs, or fails             snapshot_test, hung_disk_test, hung_threads_test; failed: here
//   A node needs a snapshot ...; lost entries   catch_up_test; limits of the kept log: tests/unit/raft/catch_up_test
//   The log has gaps                            edge_test
//   A node's log or identity is damaged         recover_test; without the printed command: here; an identity:
//                                               tests/unit/offline/repair_test
//   A majority is lost for good                 recover_test; `--address`: tests/unit/offline/recover_test
//   The last survivor is damaged                recover_test (from the snapshot); from the log: here
#include "tests/process/hanging.hpp"
#include "tests/process/maintenance.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

program_end shell(const std::string& line) { return run_program({"/bin/sh", "-c", line}); }

/// The API's name for a backup, built from the output of `troupe-backup inspect` and the file's size.
std::string api_name(const std::filesystem::path& file) {
  const auto text = run_program({TROUPE_BACKUP, "inspect", file.string()}).text;
  const auto after = [&](const std::string& what) { return text.substr(text.find(what) + what.size()); };
  std::ostringstream name;
  name << std::hex;
  for (const auto number : {std::stoull(after("up to     entry ")), std::stoull(after(" of term ")),
                            static_cast<unsigned long long>(std::filesystem::file_size(file))}) {
    name.width(16);
    name.fill('0');
    name << number << '-';
  }
  return name.str() + after("checksum  ").substr(0, 16);
}

std::string problems_in(const std::string& log) {
  std::istringstream lines{log};
  std::string found;
  for (std::string line; std::getline(lines, line);)
    for (const auto* level : {"[warning]", "[error]", "[critical]"})
      if (line.find(level) != std::string::npos) found += line + '\n';
  return found;
}

/// Alters the byte at `at`, or in the middle of the file.
void damage(const std::filesystem::path& file, std::streamoff at = -1) {
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  if (at < 0) at = static_cast<std::streamoff>(std::filesystem::file_size(file) / 2);
  bytes.seekg(at);
  const auto was = bytes.get();
  bytes.seekp(at);
  bytes.put(static_cast<char>(was ^ 1));
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, const std::string& suffix) {
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator{folder})
    if (file.path().extension() == suffix) found.push_back(file.path());
  return found;
}

std::uint64_t snapshot_index(const server& node) {
  const auto snapshot = node.status()["snapshot"];
  return snapshot.is_null() ? 0 : snapshot["index"].get<std::uint64_t>();
}

} // namespace

TEST_CASE("a planned restore into a new or a running cluster logs no warnings") {
  ready_cluster old{3};
  fill(old, 0, 20);
  const auto file = backup_of(old[0], "my.backup");
  const auto expected = content(old[0], "linearizable", 20);

  cluster fresh{3, lifetime::test_case, restoring(file, {1})};
  fresh.start();
  fresh.wait_ready();
  CHECK_THAT(fresh[1].log(), Contains("begins with the backup") && Contains("the log begins at"));

  REQUIRE(old[1].call("PUT", "/v1/maps/kept/k1", "99").status == 200);
  std::vector<std::size_t> before;
  for (std::size_t i = 0; i < 3; ++i) before.push_back(old[i].log().size());
  const auto restored = restore_into(old[2], file);
  INFO(restored.text);
  REQUIRE(restored.code == 0);
  const auto index = std::stoull(restored.text.substr(restored.text.find("restored at index ") + 18));
  for (std::size_t i = 0; i < 3; ++i) {
    wait_for("snapshot of the restored state", 20s, [&] { return snapshot_index(old[i]) >= index; });
    CHECK(content(old[i], "linearizable", 20) == expected);
    CHECK(problems_in(old[i].log().substr(before[i])).empty());
    // Other warnings in a node's first seconds are not related to the restore.
    CHECK_THAT(problems_in(fresh[i].log()), !Contains("snapshot") && !Contains("backup") && !Contains("the log"));
  }
}

TEST_CASE("a backup is restored with curl; a node keeps two at most; damaged copies are replaced with `stage`") {
  ready_cluster nodes{3};
  fill(nodes, 0, 20);
  const auto expected = content(nodes[0], "linearizable", 20);
  std::vector<std::filesystem::path> backups;
  for (int i = 0; i < 3; ++i) {
    backups.push_back(backup_of(nodes[0], "backup" + std::to_string(i)));
    REQUIRE(nodes[0].call("PUT", "/v1/maps/kept/since" + std::to_string(i), "1").status == 200);
  }
  const auto send = [&](const server& to, const std::filesystem::path& file, const std::string& more = {}) {
    return shell("curl -sS " + more + " -T " + file.string() + " '" + url_of(to) + "/v1/restore/" + api_name(file) +
                 "?offset=0'");
  };
  // Two backups wait to be restored, and there is no room for a third.
  for (std::size_t i = 0; i < 2; ++i) {
    const auto sent = send(nodes[0], backups[i], "-f");
    INFO(sent.text);
    REQUIRE(sent.code == 0);
    CHECK_THAT(sent.text, Contains("{\"next\":" + std::to_string(std::filesystem::file_size(backups[i])) + "}"));
  }
  CHECK_THAT(send(nodes[0], backups[2]).text, Contains("this node keeps 2 other backups"));
  const auto restored = shell("curl -fsS -X POST '" + url_of(nodes[0]) + "/v1/restore/" + api_name(backups[0]) + "'");
  INFO(restored.text);
  REQUIRE(restored.code == 0);
  const auto index = json::parse(restored.text)["index"].get<std::uint64_t>();
  CHECK(content(nodes[1], "linearizable", 20) == expected);
  CHECK(nodes[1].call("GET", "/v1/maps/kept/since0").status == 404);
  // The node takes one snapshot by itself, the other one on demand.
  wait_for("the automatic snapshot", 20s, [&] { return snapshot_index(nodes[0]) >= index; });
  REQUIRE(nodes[0].call("PUT", "/v1/maps/kept/more", "1").status == 200);
  wait_for("room for a third backup", 10s, [&] { // a follower learns a moment later that the write is committed
    return nodes[0].call("POST", "/v1/snapshot").status == 200 && send(nodes[0], backups[2], "-f").code == 0;
  });

  // All copies of the next backup are damaged. A node does not check again what it has just read.
  for (std::size_t i = 1; i < 3; ++i) REQUIRE(send(nodes[i], backups[1], "-f").code == 0);
  for (std::size_t i = 0; i < 3; ++i) damage(nodes[i].data_dir() / "staged" / (api_name(backups[1]) + ".snapshot"));
  const auto failed = shell("curl -sS -X POST '" + url_of(nodes[0]) + "/v1/restore/" + api_name(backups[1]) +
                            "?timeout=5s' --max-time 3");
  INFO(failed.text);
  for (std::size_t i = 0; i < 3; ++i) {
    wait_for("report of the missing state", 20s, [&] {
      const auto answer = nodes[i].call("GET", "/readyz");
      return answer.body.find("no usable state") != std::string::npos;
    });
    CHECK_FALSE(files_in(nodes[i].data_dir() / "staged", ".damaged").empty());
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto staged = run_program({TROUPE_BACKUP, "stage", backups[1].string(), "--to", url_of(nodes[i])});
    INFO(staged.text);
    REQUIRE(staged.code == 0);
    nodes[i].process().signal(SIGTERM);
    REQUIRE(nodes[i].process().wait(10s).has_value());
    nodes[i].start();
  }
  nodes.wait_ready();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(content(nodes[i], "linearizable", 20) == expected);
    CHECK(nodes[i].call("GET", "/v1/maps/kept/since0").status == 200);
    CHECK(nodes[i].call("GET", "/v1/maps/kept/more").status == 404);
  }

  // Without a majority, the remaining node reports which members are missing.
  nodes[1].process().kill();
  nodes[2].process().kill();
  wait_for("report of the missing majority", 20s, [&] {
    const auto text = nodes[0].call("GET", "/readyz").body;
    return text.find("no leader is known: 1 of 3 voters answers, 2 needed") != std::string::npos &&
           text.find("127.0.0.1:" + std::to_string(nodes[1].raft_port()) + ": ") != std::string::npos;
  });
  CHECK_THAT(nodes[0].status()["not_ready"].get<std::string>(), Contains("Connection refused"));
}

TEST_CASE("a node is added by its id; a node whose disk failed restarts; a repaired node joins next to its old self") {
  const hanging_disks disks;
  ready_cluster nodes{3};
  fill(nodes, 0, 20);
  const auto expected = content(nodes[0], "linearizable", 20);
  const auto discovery = "static:127.0.0.1:" + std::to_string(nodes[0].raft_port());
  const auto ports = free_ports(2);
  const auto folder = nodes[0].data_dir().parent_path();
  const auto voters = [&] { return voters_of(body_of(nodes[0].call("GET", "/v1/members"), "/v1/members")); };

  // The node expects to form a cluster, so it does not ask to join by itself.
  server fourth{"fourth", folder, ports[0], ports[1], discovery, {"--bootstrap-expect", "2"}};
  fourth.start();
  wait_for("start of the fourth node", 10s, [&] { return fourth.call("GET", "/status").status == 200; });
  const auto id = fourth.status()["id"].get<std::string>();
  const auto added =
      shell("curl -fsS -d '{\"id\": \"" + id + "\", \"address\": \"127.0.0.1:" + std::to_string(fourth.raft_port()) +
            "\"}' " + url_of(nodes[1]) + "/v1/members");
  INFO(added.text);
  REQUIRE(added.code == 0);
  wait_for("four voters", 20s, [&] { return voters().size() == 4; });
  wait_for("readiness of the fourth node", 10s, [&] { return fourth.ready(); });
  CHECK(content(fourth, "linearizable", 20) == expected);

  // Its disk fails.
  hang(fourth.data_dir() / "log", failing_syncs);
  wait_for("report of the failure", 10s, [&] {
    nodes[0].put("k", 1);
    return fourth.status()["disk"] == "failed";
  });
  CHECK_THAT(fourth.call("GET", "/readyz").body, Contains("disk: failed"));
  release(fourth.data_dir() / "log", failing_syncs);
  CHECK_FALSE(fourth.ready()); // the content of the disk is unknown
  fourth.process().signal(SIGTERM);
  REQUIRE(fourth.process().wait(10s).has_value());
  fourth.start();
  wait_for("return of the fourth node", 20s, [&] { return fourth.ready(); });

  // Its log is damaged. It joins as a new node; afterwards the old one is removed.
  fourth.process().kill();
  for (const auto& file : files_in(fourth.data_dir() / "log", ".wal")) std::filesystem::resize_file(file, 5000);
  REQUIRE(run_program({TROUPE_LOG, "inspect", fourth.data_dir().string()}).code == 1);
  REQUIRE(run_program({TROUPE_LOG, "repair", "--yes", fourth.data_dir().string()}).code == 0);
  server repaired{"fourth", folder, ports[0], ports[1], discovery, {"--bootstrap-expect", "0"}};
  repaired.start();
  // Until the new node votes, its promotion may be in progress, which would delay a removal.
  wait_for("a fifth voter", 20s, [&] { return nodes[0].has_voters(5); });
  const auto removed = shell("curl -fsS -X DELETE " + url_of(nodes[2]) + "/v1/members/" + id);
  INFO(removed.text);
  REQUIRE(removed.code == 0);
  wait_for("four voters without the old node", 20s, [&] {
    const auto now = voters();
    return now.size() == 4 && !now.contains(id);
  });
  wait_for("readiness of the repaired node", 10s, [&] { return repaired.ready(); });
  CHECK(content(repaired, "linearizable", 20) == expected);
}

TEST_CASE("a last survivor with a damaged log continues with the entries before the damage") {
  ready_cluster old{1};
  fill(old, 0, 20);
  const auto expected = content(old[0], "linearizable", 20);
  old[0].process().kill();
  const auto n3 = old[0].data_dir();
  const auto segment = n3 / "log" / "0000000000000001.wal";
  const auto bytes = read_text(segment);
  const auto at = bytes.find("k15");
  REQUIRE(at != std::string::npos);
  damage(segment, static_cast<std::streamoff>(at));
  REQUIRE(run_program({TROUPE_LOG, "verify", n3.string()}).code == 1);
  for (const auto& command : {std::vector<std::string>{"repair", "--yes", n3.string()},
                              {"recover", "--yes", (n3 / "before-repair-1").string()}}) {
    auto words = command;
    words.insert(words.begin(), TROUPE_LOG);
    const auto ended = run_program(words);
    INFO(ended.text);
    REQUIRE(ended.code == 0);
  }
  const auto r3 = n3.parent_path() / "r3";
  std::filesystem::rename(n3 / "before-repair-1", r3);
  const auto ports = free_ports(2);
  server survivor{"r3", n3.parent_path(), ports[0], ports[1], ""};
  survivor.start();
  wait_for("election of the survivor", 20s, [&] { return survivor.ready(); });
  const auto found = content(survivor, "linearizable", 20);
  CHECK(std::equal(found.begin(), found.begin() + 15, expected.begin()));
  CHECK(survivor.call("GET", "/v1/maps/kept/k15").status == 404);
  CHECK(survivor.call("PUT", "/v1/maps/kept/k15", "1").status == 200);
}

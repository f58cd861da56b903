// Tests backup and restore as docs/operations.md describes them, with its commands.
#include "tests/process/maintenance.hpp"
#include "tests/process/steady_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <utility>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using std::chrono::steady_clock;

namespace {

program_end verify(const std::filesystem::path& file) { return run_program({TROUPE_BACKUP, "verify", file.string()}); }

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary} << bytes;
}

std::uint64_t written_revision(const server& node, const std::string& key) {
  return json::parse(node.call("PUT", "/v1/maps/kept/" + key, "1").body).at("revision").get<std::uint64_t>();
}

/// Makes a small backup with a cluster that is stopped afterwards. Two such backups differ.
std::filesystem::path some_backup(const std::string& name) {
  ready_cluster nodes{1};
  fill(nodes, 0, 20);
  return backup_of(nodes[0], name);
}

} // namespace

TEST_CASE("a new cluster continues from a backup while the old one keeps serving") {
  ready_cluster old{3};
  const auto through = old.follower();
  fill(old, (through + 1) % 3);
  steady_writer writer{old, {}};
  wait_for("writes before the backup", 10s, [&] { return writer.acknowledged() > 50; });
  const auto before = writer.acknowledged();
  const auto file = backup_of(old[through], "my.backup");
  wait_for("writes after the backup", 10s, [&] { return writer.acknowledged() > before; });

  const auto good = verify(file);
  CHECK(good.code == 0);
  CHECK_THAT(good.text, Contains("good") && Contains("service   map"));
  CHECK(run_program({TROUPE_BACKUP, "inspect", file.string()}).code == 0);
  const auto head = read_text(file.string() + ".head");
  const auto cluster_id = old[0].status()["cluster_id"].get<std::string>();
  CHECK_THAT(head, Contains("application/octet-stream") && Contains("filename=\"troupe-" + cluster_id));
  const auto index = std::stoull(head.substr(head.find("index=") + 6));
  CHECK_THAT(good.text, Contains("up to     entry " + std::to_string(index) + " "));
  CHECK_THAT(good.text, Contains(head.substr(head.find("checksum=") + 9, 16)));

  const auto began = steady_clock::now();
  cluster restored{3, lifetime::test_case, restoring(file, {1})};
  restored.start();
  restored.wait_ready();
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::cout << "a restored cluster of three was ready after " << took.count() << " ms\n";
  const auto expected = content(old[0], "linearizable");
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(content(restored[i], "stale") == expected);
    CHECK(written_revision(restored[i], "new" + std::to_string(i)) > index);
    CHECK(restored[i].status()["cluster_id"] != cluster_id);
  }
  // The cluster also works without the node that was given the backup.
  restored[1].process().kill();
  wait_for("the others", 10s, [&] { return restored[0].call("PUT", "/v1/maps/kept/more", "1").status == 200; });

  // A restart script may keep the option even if the file has changed or is gone.
  const auto bytes = read_text(file);
  for (const auto* left : {"all", "half", "none"}) {
    if (left == std::string{"half"}) std::filesystem::resize_file(file, bytes.size() / 2);
    if (left == std::string{"none"}) std::filesystem::remove(file);
    restored[1].process().kill();
    restored[1].start();
    restored.wait_ready();
    CHECK_THAT(restored[1].log(), Contains("is not restored again"));
    CHECK(content(restored[1], "linearizable") == expected);
  }

  CHECK(writer.stop() == std::vector<std::string>{});
  CHECK(content(old[through], "linearizable") == expected);
  CHECK(old[0].status()["cluster_id"] == cluster_id);
}

TEST_CASE("a truncated or altered backup is refused and has no effect") {
  const auto file = some_backup("good.backup");
  const auto folder = make_folder();
  const auto bytes = read_text(file);
  std::vector<std::filesystem::path> bad;
  for (const auto cut : {std::size_t{0}, std::size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    bad.push_back(folder / ("cut" + std::to_string(cut)));
    write(bad.back(), bytes.substr(0, cut));
  }
  for (const auto at : {std::size_t{3}, std::size_t{30}, bytes.size() / 2, bytes.size() - 5}) {
    bad.push_back(folder / ("altered" + std::to_string(at)));
    auto other = bytes;
    other[at] = static_cast<char>(other[at] ^ 1);
    write(bad.back(), other);
  }
  bad.push_back(folder / "longer");
  write(bad.back(), bytes + "x");
  const auto data = folder / "data";
  const auto raft_port = std::to_string(free_ports(1).front());
  for (const auto& one : bad) {
    CAPTURE(one);
    CHECK(verify(one).code == 1);
    const auto ended = run_webserver(
        {"--raft-port", raft_port, "--http-port", "0", "--data-dir", data.string(), "--restore", one.string()});
    CHECK(ended.code == 1);
    CHECK_THAT(ended.text, Contains(one.filename().string()));
    CHECK_FALSE(std::filesystem::exists(data));
  }
  CHECK(verify(folder / "none").code == 2);
  CHECK(verify(folder).code == 2);
  CHECK(run_program({TROUPE_BACKUP, "bogus"}).code == 2);
  CHECK_THAT(run_program({TROUPE_BACKUP, "bogus"}).text, Contains("bogus"));
  const auto ended = run_webserver({"--raft-port", raft_port, "--http-port", "0", "--data-dir", data.string(),
                                    "--restore", (folder / "none").string()});
  CHECK(ended.code == 1);
  CHECK_FALSE(std::filesystem::exists(data));
}

TEST_CASE("a backup is restored only into empty directories") {
  const auto first = some_backup("first.backup");
  const auto second = some_backup("second.backup");
  const auto refused_for = [](const server& node, const std::filesystem::path& file) {
    return run_webserver({"--raft-port", std::to_string(node.raft_port()), "--http-port", "0", "--data-dir",
                          node.data_dir().string(), "--restore", file.string()});
  };
  cluster plain{1};
  plain.start();
  plain.wait_ready();
  plain[0].put("k", 1);
  plain[0].process().kill();
  const auto ended = refused_for(plain[0], first);
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains("refusing to restore") && Contains("empty data directories"));
  plain[0].start();
  plain.wait_ready();
  CHECK(plain[0].get("k") == 1);

  cluster restored{1, lifetime::test_case, restoring(first, {0})};
  restored.start();
  restored.wait_ready();
  restored[0].process().kill();
  const auto other = refused_for(restored[0], second);
  CHECK(other.code == 1);
  CHECK_THAT(other.text, Contains("refusing to restore") && Contains("which began with the backup"));
}

TEST_CASE("nodes with different backups do not form a cluster, and log both checksums") {
  const auto first = some_backup("first.backup");
  const auto second = some_backup("second.backup");
  cluster nodes{3, lifetime::test_case, [&](std::size_t i) -> std::vector<std::string> {
                  if (i == 2) return {};
                  return {"--restore", (i == 0 ? first : second).string()};
                }};
  nodes.start();
  for (std::size_t i = 0; i < 3; ++i)
    wait_for(nodes[i].name() + " telling", 10s, [&] {
      return nodes[i].log().find("give the same backup to all nodes that get one") != std::string::npos;
    });
  const auto checksum = [](const std::filesystem::path& file) {
    const auto text = verify(file).text;
    return text.substr(text.find("checksum  ") + 10, 16);
  };
  CHECK(checksum(first) != checksum(second));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK_THAT(nodes[i].log(), Contains(checksum(first)) && Contains(checksum(second)));
    CHECK(nodes[i].status()["phase"] == "forming");
  }
  // The fix: start one of the two nodes without its backup.
  nodes[0].process().kill();
  server mended{"node1",
                nodes[0].data_dir().parent_path(),
                nodes[0].raft_port(),
                nodes[0].http_port(),
                "static:127.0.0.1:" + std::to_string(nodes[0].raft_port()) + ",127.0.0.1:" +
                    std::to_string(nodes[1].raft_port()) + ",127.0.0.1:" + std::to_string(nodes[2].raft_port()),
                {}};
  mended.start();
  wait_for("a cluster", 20s, [&] { return mended.ready() && nodes[1].ready() && nodes[2].ready(); });
  CHECK(content(mended, "linearizable", 20) == content(nodes[1], "stale", 20));
}

TEST_CASE("several nodes may have the backup, and all nodes may die before they have loaded it") {
  const auto file = some_backup("my.backup");
  for (const auto& holders : {std::vector<std::size_t>{0, 1, 2}, std::vector<std::size_t>{1}}) {
    cluster nodes{3, lifetime::test_case, restoring(file, holders)};
    nodes.start();
    wait_for("a promise to the formation", 10s, [&] {
      for (std::size_t i = 0; i < 3; ++i)
        if (nodes[i].log().find("promised to cluster") != std::string::npos) return true;
      return false;
    });
    for (std::size_t i = 0; i < 3; ++i) nodes[i].process().kill();
    for (std::size_t i = 0; i < 3; ++i) nodes[i].start();
    nodes.wait_ready();
    const auto expected = content(nodes[0], "linearizable", 20);
    CHECK_THAT(expected.back(), Contains("\"value\":19"));
    for (std::size_t i = 0; i < 3; ++i) CHECK(content(nodes[i], "stale", 20) == expected);
  }
}

TEST_CASE("a backup needs a leader") {
  ready_cluster nodes{3};
  fill(nodes, 0, 20);
  nodes[1].process().kill();
  nodes[2].process().kill();
  const auto answer = nodes[0].call("GET", "/v1/backup?timeout=500ms");
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body)["outcome"] == "rejected");
  CHECK(nodes[0].call("POST", "/v1/backup").status == 405);
}

TEST_CASE("a backup is restored into the running cluster that it came from") {
  ready_cluster nodes{3};
  fill(nodes, 0);
  const auto file = backup_of(nodes[1], "my.backup");
  const auto expected = content(nodes[0], "linearizable");
  for (int i = 0; i < keys; ++i)
    REQUIRE(nodes[2].call("PUT", "/v1/maps/kept/k" + std::to_string(i), "\"overwritten\"").status == 200);
  REQUIRE(nodes[2].call("PUT", "/v1/maps/kept/after", "1").status == 200);
  const auto newest = written_revision(nodes[2], "newest");
  // A single altered byte is noticed.
  auto bytes = read_text(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto altered = make_folder() / "altered.backup";
  write(altered, bytes);
  CHECK(restore_into(nodes[0], altered).code == 1);
  CHECK(content(nodes[1], "linearizable") != expected);

  // Without a terminal, the command cannot ask for confirmation.
  const auto unasked =
      run_program({"/bin/sh", "-c",
                   std::string{TROUPE_BACKUP} + " restore " + file.string() +
                       " --to http://127.0.0.1:" + std::to_string(nodes[0].http_port()) + " < /dev/null"});
  CHECK(unasked.code == 2);
  CHECK_THAT(unasked.text, Contains("--yes answers") && Contains("nothing was changed"));
  CHECK(content(nodes[1], "linearizable") != expected);

  const auto began = steady_clock::now();
  const auto restored = restore_into(nodes[nodes.follower()], file);
  INFO(restored.text);
  REQUIRE(restored.code == 0);
  CHECK_THAT(restored.text, Contains("restored at index"));
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::cout << "restored into a running cluster in " << took.count() << " ms\n";
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(content(nodes[i], "linearizable") == expected);
    CHECK(nodes[i].call("GET", "/v1/maps/kept/after").status == 404);
    CHECK(written_revision(nodes[i], "since" + std::to_string(i)) > newest);
  }
  // Restoring again succeeds: the nodes already have the backup.
  CHECK(restore_into(nodes[0], file).code == 0);
  CHECK(nodes[1].call("GET", "/v1/maps/kept/since0").status == 404);
  CHECK(content(nodes[1], "linearizable") == expected);
  // The state survives a crash of all nodes, and then of one after another.
  for (std::size_t i = 0; i < 3; ++i) nodes[i].process().kill();
  nodes.start();
  nodes.wait_ready();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(content(nodes[i], "linearizable") == expected);
    nodes[i].process().kill();
    nodes[i].start();
    nodes.wait_ready();
    CHECK(content(nodes[i], "stale") == expected);
  }
}

TEST_CASE("a node that is down while a backup is restored gets the state after its restart") {
  ready_cluster nodes{3};
  fill(nodes, 0);
  const auto file = backup_of(nodes[0], "my.backup");
  const auto expected = content(nodes[0], "linearizable");
  const auto away = nodes.follower();
  nodes[away].process().kill();
  for (int i = 0; i < keys; ++i)
    REQUIRE(nodes[(away + 1) % 3].call("DELETE", "/v1/maps/kept/k" + std::to_string(i)).status == 200);
  const auto restored = restore_into(nodes[(away + 1) % 3], file);
  INFO(restored.text);
  REQUIRE(restored.code == 0);
  REQUIRE(nodes[(away + 2) % 3].call("PUT", "/v1/maps/kept/since", "7").status == 200);
  nodes[away].start();
  nodes.wait_ready();
  CHECK(content(nodes[away], "stale") == expected);
  CHECK(nodes[away].call("GET", "/v1/maps/kept/since?level=stale").status == 200);
  CHECK_THAT(nodes[away].log(), Contains("is missing on this node: waiting for another node's snapshot"));
}

TEST_CASE("a backup that cannot be restored into this cluster changes nothing") {
  const auto file = some_backup("some.backup");
  ready_cluster nodes{3};
  nodes[0].put("mine", 3);
  const auto strange = restore_into(nodes[0], file);
  CHECK(strange.code == 2);
  CHECK_THAT(strange.text, Contains("--other-cluster"));
  // The backup's index is beyond the log of this younger cluster.
  const auto refused = restore_into(nodes[0], file, {"--yes", "--other-cluster"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.text, Contains("revisions would go backwards"));
  CHECK(nodes[0].get("mine") == 3);
  CHECK(restore_into(nodes[0], make_folder() / "nowhere").code == 2);
  const auto name =
      std::string(16, '0') + "-" + std::string(16, '0') + "-" + std::string(15, '0') + "9-" + std::string(16, '0');
  CHECK(nodes[0].call("POST", "/v1/restore/" + name).status == 400);
  CHECK(nodes[0].call("PUT", "/v1/restore/" + name + "?offset=0", "nonsense!").status == 400);
  CHECK(nodes[0].call("PUT", "/v1/restore/nonsense", "x").status == 400);
  CHECK(nodes[0].call("GET", "/v1/restore/" + name).status == 405);
  CHECK(nodes[0].get("mine") == 3);
}

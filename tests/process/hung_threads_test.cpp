// Each thread of a node that uses the disk hangs in turn. The node reports it if it can, requests are answered by their
// deadlines, and SIGTERM ends the process.
#include "tests/process/hanging.hpp"
#include "tests/process/maintenance.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <iostream>
#include <memory>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using std::chrono::steady_clock;

namespace {

milliseconds since(steady_clock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - then);
}

/// Sends a request with `?timeout=1s` and checks that the answer arrives in time.
troupe::http::result in_time(const server& node, std::string_view method, const std::string& target,
                             std::string_view body = {}) {
  const auto asked = steady_clock::now();
  auto answer = node.call(method, target, body);
  INFO(target << " " << answer.body);
  CHECK(since(asked) < 2500ms);
  return answer;
}

bool serves(const server& node) { return node.ready() && node.call("PUT", "/v1/maps/m/k", "1").status == 200; }

/// The name of the only snapshot in a folder, without its suffix.
std::string name_of_only(const std::filesystem::path& folder) {
  for (const auto& file : std::filesystem::directory_iterator{folder})
    if (file.path().extension() == ".snapshot") return file.path().stem();
  return {};
}

} // namespace

TEST_CASE("while a thread that writes, stages, opens or closes files hangs, the rest of the node works, and stops") {
  const hanging_disks disks;
  std::vector<std::unique_ptr<cluster>> nodes;
  for (int i = 0; i < 5; ++i) nodes.push_back(std::make_unique<cluster>(1));
  for (auto& one : nodes) one->start();
  for (auto& one : nodes) one->wait_ready();
  auto& writes_snapshot = (*nodes[0])[0];
  auto& stages = (*nodes[1])[0];
  auto& opens_log = (*nodes[2])[0];
  auto& opens_identity = (*nodes[3])[0];
  auto& closes_files = (*nodes[4])[0];

  // Writing a snapshot: its outcome is unknown, and the rest of the node works.
  const auto began = steady_clock::now();
  hang(writes_snapshot.data_dir() / "snapshots");
  for (int i = 0; i < 2; ++i) {
    const auto answer = in_time(writes_snapshot, "POST", "/v1/snapshot?timeout=1s");
    CHECK(answer.status == 504);
    CHECK(json::parse(answer.body)["outcome"] == "unknown");
    CHECK(serves(writes_snapshot));
  }
  // The number of waiting requests is limited, because the node cannot cancel them.
  auto connection = writes_snapshot.connect();
  unsigned status = 504;
  for (int i = 0; i < 300 && status == 504; ++i) status = connection.request("POST", "/v1/snapshot?timeout=1ms").status;
  CHECK(status == 429);

  // Staging a backup.
  fill(*nodes[1], 0, 20);
  const auto backup = backup_of(stages, "my.backup");
  const auto target = "/v1/restore/" + name_of_only(stages.data_dir() / "snapshots");
  hang(stages.data_dir() / "staged");
  const auto chunk = in_time(stages, "PUT", target + "?offset=0&timeout=1s", read_text(backup));
  CHECK(chunk.status == 504);
  CHECK(json::parse(chunk.body)["outcome"] == "unknown");
  const auto restored = in_time(stages, "POST", target + "?timeout=1s");
  CHECK(json::parse(restored.body)["outcome"] == "rejected");
  CHECK(serves(stages));

  // Opening the log.
  opens_log.process().kill();
  hang(opens_log.data_dir() / "log", reads);
  opens_log.start();
  wait_for("report of the hanging start", 10s, [&] {
    const auto answer = opens_log.call("GET", "/readyz");
    return answer.status == 503 &&
           answer.body.find("reading the log and the state from the disk for") != answer.body.npos;
  });
  CHECK(opens_log.call("GET", "/livez").status == 200);
  CHECK(json::parse(in_time(opens_log, "PUT", "/v1/maps/m/k?timeout=1s", "1").body)["outcome"] == "rejected");

  // Opening the identity file.
  opens_identity.process().kill();
  hang(opens_identity.data_dir() / "identity", reads);
  opens_identity.start();
  wait_for("the HTTP port", 10s, [&] { return opens_identity.call("GET", "/livez").status == 503; });
  CHECK(json::parse(in_time(opens_identity, "PUT", "/v1/maps/m/k?timeout=1s", "1").body)["outcome"] == "rejected");

  hang(closes_files.data_dir(), closes);

  // Writing the identity file of a node that is about to promise itself to a formation.
  nodes.push_back(std::make_unique<cluster>(2));
  auto& forms = (*nodes.back())[0];
  auto& other = (*nodes.back())[1];
  forms.start();
  wait_for("start of the formation", 10s, [&] { return forms.status()["phase"] == "forming"; });
  hang(forms);
  other.start();
  wait_for("report of the stalled disk", 10s, [&] { return forms.status()["disk"] == "stalled"; });
  CHECK_THAT(forms.status()["not_ready"].get<std::string>(), Contains("the data directory does not answer"));
  CHECK(json::parse(in_time(forms, "PUT", "/v1/maps/m/k?timeout=1s", "1").body)["outcome"] == "rejected");

  const auto expected = "is not written yet";
  wait_for("report of the hanging snapshot", 15s, [&] {
    const auto error = writes_snapshot.status()["snapshot_error"];
    return error.is_string() && error.get<std::string>().find(expected) != std::string::npos;
  });
  CHECK(since(began) >= 9s);

  // All at once, because each node takes several seconds.
  const auto asked = steady_clock::now();
  for (auto& one : nodes) (*one)[0].process().signal(SIGTERM);
  for (auto& one : nodes) {
    auto& node = (*one)[0];
    const auto code = node.process().wait(12s);
    CAPTURE(node.data_dir(), node.log());
    REQUIRE(code.has_value());
    CHECK(*code == 1);
    CHECK(since(asked) < 10'500ms); // also for nodes that exited while others were checked
    // If the main thread itself hangs, the time limit of the whole process ends it.
    const bool main_hangs = &node == &opens_identity || &node == &closes_files;
    const auto in_order = Contains("exiting while threads still wait for a disk");
    if (main_hangs)
      CHECK_THAT(node.log(), in_order || Contains("because a thread is waiting for a disk or a service"));
    else
      CHECK_THAT(node.log(), in_order);
  }
  std::cout << "six nodes with one hanging thread each exited within " << since(asked).count() << " ms\n";

  release(writes_snapshot.data_dir() / "snapshots");
  release(opens_log.data_dir() / "log", reads);
  for (auto* node : {&writes_snapshot, &opens_log}) {
    node->start();
    wait_for(node->name(), 20s, [&] { return serves(*node); });
    CHECK(node->call("POST", "/v1/snapshot").status == 200);
  }
}

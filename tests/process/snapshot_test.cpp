// Snapshots of real processes: nodes restore their state from them, and the log stays bounded.
#include "tests/process/cluster.hpp"
#include "tests/unit/small_mount.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

std::vector<std::string> small_logs(std::size_t) {
  return {"--segment-size", "2MB", "--snapshot-log-size", "2MB", "--snapshot-entries", "20000", "--log-tail", "200"};
}

/// Overwrites the keys 0 ... 999 repeatedly. Returns false if a write failed.
bool overwrite(cluster& nodes, std::size_t through, std::size_t writes, std::size_t size, int connections = 4) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::vector<std::thread> writers;
  for (int w = 0; w < connections; ++w)
    writers.emplace_back([&] {
      auto connection = nodes[through].connect();
      for (auto i = next++; i < writes && !failed; i = next++) {
        const auto value = '"' + std::to_string(i) + std::string(size, 'x') + '"';
        if (connection.request("PUT", "/v1/maps/m/k" + std::to_string(i % 1000), value).status != 200) failed = true;
      }
    });
  for (auto& w : writers) w.join();
  return !failed;
}

std::uintmax_t bytes_in(const std::filesystem::path& folder) {
  std::uintmax_t sum = 0;
  std::error_code gone; // files change meanwhile
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder, gone)) {
    const auto size = file.is_regular_file(gone) ? file.file_size(gone) : 0;
    if (!gone) sum += size;
  }
  return sum;
}

std::uint64_t number(const server& node, const char* field) { return node.status()[field].get<std::uint64_t>(); }

} // namespace

TEST_CASE("a node that needs compacted entries catches up by a snapshot") {
  ready_cluster nodes{3, lifetime::test_case, small_logs};
  nodes[0].put("first", 1);
  const auto down = nodes.follower();
  nodes[down].process().kill();
  const auto last_seen = number(nodes[(down + 1) % 3], "last_index");
  const auto through = (down + 1) % 3;
  // Several snapshots, because the log starts at the older of two. Each time writes more than the 4 MiB
  // (raft::options::max_inflight_bytes) that the leader keeps in memory for a silent follower, since those entries
  // would be sent without reading the log.
  for (int i = 0; i < 3; ++i) {
    REQUIRE(overwrite(nodes, through, 3000, 2000));
    for (std::size_t n = 0; n < 3; ++n)
      if (n != down) CHECK(nodes[n].call("POST", "/v1/snapshot").status == 200);
  }
  for (std::size_t n = 0; n < 3; ++n)
    if (n != down)
      wait_for("compaction of the log of " + nodes[n].name(), 10s,
               [&] { return number(nodes[n], "log_start") > last_seen; });
  nodes[down].start();
  wait_for("return of the node", 20s, [&] { return nodes[down].ready(); });
  CHECK(number(nodes[down], "log_start") > last_seen);
  CHECK_THAT(nodes[down].log(), Catch::Contains("receiving the snapshot"));
  CHECK(nodes[down].get("first", "stale") == 1);
  // The node is a full member: it is part of the majority when another one dies.
  nodes[through].process().kill();
  nodes[down].insist("last", 2);
  CHECK(nodes[down].get("last") == 2);
}

TEST_CASE("a snapshot is taken on demand, once for each state") {
  ready_cluster nodes{1};
  nodes[0].put("k", 1);
  const auto first = nodes[0].call("POST", "/v1/snapshot");
  REQUIRE(first.status == 200);
  CHECK(json::parse(first.body)["index"] == number(nodes[0], "applied_index"));
  CHECK(nodes[0].call("POST", "/v1/snapshot").body == first.body);
  CHECK(nodes[0].status()["snapshot"] == json::parse(first.body));
  CHECK(nodes[0].call("GET", "/v1/snapshot").status == 405);
}

TEST_CASE("disk use stays bounded under endless writes, and a restart is quick") {
  const bool full_size = std::getenv("TROUPE_LONG") != nullptr;
  const std::size_t writes = full_size ? 2'000'000 : 20'000;
  const std::size_t size = full_size ? 100 : 2'000;
  // Writes that arrive together share a sync of the disk. Four connections would take a quarter of an hour.
  const int connections = full_size ? 32 : 4;
  constexpr std::uintmax_t bound = 32 << 20;
  ready_cluster nodes{3, lifetime::test_case, small_logs};
  std::atomic<bool> done = false;
  std::uintmax_t most = 0;
  std::thread watcher{[&] {
    while (!done) {
      for (std::size_t n = 0; n < nodes.size(); ++n) most = std::max(most, bytes_in(nodes[n].data_dir()));
      std::this_thread::sleep_for(50ms); // nap: samples the disk use
    }
  }};
  const bool written = overwrite(nodes, 0, writes, size, connections);
  done = true;
  watcher.join();
  REQUIRE(written);
  std::cout << writes << " writes of " << size << " bytes to 1000 keys: a node used at most " << most / 1024
            << " KiB of disk\n";
  CHECK(most < bound);
  const auto back = nodes.follower();
  nodes[back].process().kill();
  const auto began = steady_clock::now();
  nodes[back].start();
  wait_for("readiness of the restarted node", 10s, [&] { return nodes[back].ready(); });
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::cout << "restarted and ready after " << took.count() << " ms\n";
  CHECK(took < 2s);
}

TEST_CASE("a node with a full disk accepts no commands, the others continue, and it recovers when there is room") {
  cluster nodes{3, lifetime::test_case, small_logs};
  std::filesystem::create_directories(nodes[0].data_dir());
  const troupe::test::small_mount disk{nodes[0].data_dir(), "24m"};
  if (!disk.why_not().empty()) {
    std::cout << "skipped: a small file system cannot be mounted here (" << disk.why_not() << ")\n";
    return;
  }
  nodes.start();
  nodes.wait_ready();
  nodes[1].put("before", 1);
  const auto ballast = disk.path() / "ballast";
  {
    std::ofstream fill{ballast, std::ios::binary};
    const std::string block(64 * 1024, 'x');
    while (fill.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  // The log still has room for one or two segments.
  wait_for("the full disk", 30s, [&] {
    // Leadership moves meanwhile, so some writes fail.
    overwrite(nodes, 1, 500, 2'000);
    return nodes[0].status()["disk"] == "full";
  });
  CHECK_FALSE(nodes[0].ready());
  CHECK_THAT(nodes[0].call("GET", "/readyz").body, Catch::Contains("FAIL  disk: full"));
  wait_for("election of a leader with room", 10s, [&] {
    const auto leads = nodes.leader();
    return leads && *leads != 0;
  });
  nodes[1].put("meanwhile", 2);
  CHECK(nodes[2].get("meanwhile") == 2);
  // The node accepts no more entries, and answers stale reads with the state that it has.
  CHECK(nodes[0].get("before", "stale") == 1);
  // A node that starts on a full disk behaves in the same way.
  nodes[0].process().kill();
  nodes[0].start();
  wait_for("the full disk again", 20s, [&] {
    const auto answer = nodes[0].call("GET", "/status"); // 503 while it starts
    return answer.status == 200 && json::parse(answer.body)["disk"] == "full";
  });
  CHECK_FALSE(nodes[0].ready());
  std::filesystem::remove(ballast);
  wait_for("recovery of the node", 20s, [&] { return nodes[0].ready() && nodes[0].status()["disk"] == "ok"; });
  nodes[0].put("after", 3);
  CHECK(nodes[0].get("after") == 3);
}

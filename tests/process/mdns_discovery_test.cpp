// Real nodes find each other by mDNS, each on a separate host with a real avahi-daemon.
#include "tests/process/mdns_node.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

bool all_ready(const std::vector<mdns_node*>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const auto* node) { return node->ready(); });
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

} // namespace

TEST_CASE("three nodes find each other, form a cluster and announce it") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder}, b{folder}, c{folder};
  const std::vector<mdns_node*> nodes{&a, &b, &c};
  for (auto* node : nodes) node->start({"--bootstrap-expect", "3"});
  wait_for("formation", 30s, [&] { return all_ready(nodes); });
  const auto id = a.status()["cluster_id"].get<std::string>();
  std::string seen;
  wait_for("the records", 15s, [&] {
    seen = b.browse();
    const bool addresses = std::all_of(nodes.begin(), nodes.end(), [&](const auto* node) {
      return seen.find(lan::address(node->host) + ";5000") != std::string::npos;
    });
    return addresses && count(seen, "state=formed") >= 6; // each node by IPv4 and IPv6
  });
  CAPTURE(seen);
  CHECK(count(seen, "cluster=" + id) >= 6);
  for (auto* node : nodes) CHECK_THAT(seen, Contains("node=" + node->id()));
  CHECK_THAT(seen, Contains(";fe80:"));
  for (auto* node : nodes) node->stop();
  wait_for("removal of the records", 15s, [&] { return count(b.browse(), "\n=;") == 0; });
}

TEST_CASE("the daemon may start late, stop and restart; peers that were found are kept") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder, false}, b{folder};
  a.start({"--bootstrap-expect", "2"});
  b.start({"--bootstrap-expect", "2"});
  wait_for("the complaint", 15s, [&] { return a.log().find("avahi-daemon is not running") != std::string::npos; });
  CHECK_FALSE(a.ready());
  a.avahi.start_daemon();
  wait_for("formation", 30s, [&] { return all_ready({&a, &b}); });

  a.avahi.stop_daemon();
  wait_for("the second complaint", 15s, [&] {
    const auto log = a.log();
    return log.find("avahi-daemon", log.find("works again")) != std::string::npos;
  });
  CHECK(all_ready({&a, &b}));
  CHECK(a.status()["phase"] == "running");
  a.avahi.start_daemon();
  wait_for("the announcement", 30s,
           [&] { return b.browse().find(lan::address(a.host) + ";5000") != std::string::npos; });
  CHECK(count(a.log(), "avahi-daemon is not running") <= 2); // said once each time, not with every attempt

  // The bus and the daemon restart.
  a.avahi.stop_daemon();
  a.avahi.stop_bus();
  a.avahi.start_bus();
  a.avahi.start_daemon();
  wait_for("the announcement", 40s,
           [&] { return b.browse().find(lan::address(a.host) + ";5000") != std::string::npos; });
  a.stop();
  b.stop();
}

TEST_CASE("nodes with several interfaces find each other on a common one") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder, true, {1}}, both{folder, true, {1, 2}};
  a.start({"--bootstrap-expect", "2"});
  both.start({"--bootstrap-expect", "2"});
  wait_for("formation", 30s, [&] { return all_ready({&a, &both}); });
  wait_for("records at both interfaces", 20s, [&] {
    const auto seen = both.browse();
    return seen.find(lan::address(both.host, 1) + ";5000") != std::string::npos &&
           seen.find(lan::address(both.host, 2) + ";5000") != std::string::npos;
  });
  a.stop();
  both.stop();
}

TEST_CASE("two nodes with the same name are both found") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder}, b{folder};
  a.start({"--bootstrap-expect", "1"});
  wait_for("readiness of the first node", 20s, [&] { return a.ready(); });
  a.stop(); // its files change while it runs
  std::filesystem::copy(folder / a.name, folder / "copy", std::filesystem::copy_options::recursive);
  a.start({});
  // Waits, because two daemons that register a name at once both yield several times.
  wait_for("its record", 20s, [&] { return a.browse().find(lan::address(a.host) + ";5000") != std::string::npos; });
  b.start({"--bootstrap-expect", "0"}, "copy");
  // The second node has the same id, and so the same name until the names collide.
  std::string seen;
  wait_for("another name, and both addresses", 30s, [&] {
    seen = a.browse();
    const auto contains = [&](const std::string& what) { return seen.find(what) != std::string::npos; };
    return contains("\\032\\035") // " #", and a number
           && contains(lan::address(a.host) + ";5000") && contains(lan::address(b.host) + ";5000");
  });
  // The nodes notice the copy.
  wait_for("the complaint", 20s,
           [&] { return (a.log() + b.log()).find("one data directory is a copy") != std::string::npos; });
  a.stop();
  b.stop();
}

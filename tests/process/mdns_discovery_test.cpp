// Real nodes that find each other by mDNS: each on a host of its own, with a real avahi-daemon.
#include "tests/process/avahi.hpp"
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// The network of this process: the first test case makes it, as namespaces are for good.
lan& network() {
  static lan net{make_folder(lifetime::program)};
  return net;
}

bool skipped() {
  const auto missing = missing_for_avahi();
  if (missing.empty() && network().why_not().empty()) return false;
  std::cout << (missing.empty() ? "skipped: needs root (" + network().why_not() + ")\n"
                                : "skipped: needs " + missing + '\n');
  return true;
}

/// A webserver on a host with Avahi.
struct mdns_node {
  int host;
  std::filesystem::path folder;
  avahi_host avahi;
  std::string name;
  std::unique_ptr<program> process;

  mdns_node(std::filesystem::path in, bool daemon = true, const std::vector<int>& bridges = {1})
      : host(network().add_host(bridges)), folder(std::move(in)), avahi(network(), host, folder, daemon),
        name("node" + std::to_string(host)) {}

  void start(const std::vector<std::string>& more, const std::string& data = {}) {
    std::vector<std::string> command{
        TROUPE_WEBSERVER, "--bind",      "",      "--advertise", lan::address(host) + ":5000",
        "--insecure",     "--discovery", "mdns:", "--data-dir",  (folder / (data.empty() ? name : data)).string()};
    command.insert(command.end(), more.begin(), more.end());
    process = std::make_unique<program>(avahi.at(command), folder / (name + ".log"));
  }
  std::string log() const { return read_text(folder / (name + ".log")); }
  http::client http() const { return {lan::address(host), 8080, 3000ms}; }
  json status() const { return json::parse(http().request("GET", "/status").body); }
  bool ready() const { return http().request("GET", "/readyz").status == 200; }
  /// What the independent client avahi-browse sees at this host, resolved.
  std::string browse() const {
    const auto file = folder / (name + ".browse.txt");
    std::filesystem::remove(file);
    run(avahi.at({"avahi-browse", "--resolve", "--terminate", "--parsable", "_troupe._tcp"}), file);
    return read_text(file);
  }
  void stop() {
    process->signal(SIGTERM);
    CHECK(process->wait(15s) == 0);
  }
};

bool all_ready(const std::vector<mdns_node*>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const auto* node) { return node->ready(); });
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

} // namespace

TEST_CASE("three nodes find each other, form a cluster, and say so to everybody") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder}, b{folder}, c{folder};
  for (auto* node : {&a, &b, &c}) node->start({"--bootstrap-expect", "3"});
  wait_for("formation", 30s, [&] { return all_ready({&a, &b, &c}); });
  const auto id = a.status()["cluster_id"].get<std::string>();
  std::string seen;
  wait_for("the records", 15s, [&] {
    seen = b.browse();
    return count(seen, "state=formed") >= 6; // each by both protocols
  });
  CAPTURE(seen);
  CHECK(count(seen, "cluster=" + id) >= 6);
  for (auto* node : {&a, &b, &c}) {
    CHECK_THAT(seen, Contains("node=" + node->status()["id"].get<std::string>()));
    CHECK_THAT(seen, Contains(lan::address(node->host) + ";5000"));
  }
  CHECK_THAT(seen, Contains(";fe80:"));
  for (auto* node : {&a, &b, &c}) node->stop();
  wait_for("the records to go", 15s, [&] { return count(b.browse(), "\n=;") == 0; });
}

TEST_CASE("the daemon may come later, and go, and come again; peers that were found stay") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder, false}, b{folder};
  a.start({"--bootstrap-expect", "2"});
  b.start({"--bootstrap-expect", "2"});
  wait_for("the complaint", 15s, [&] { return a.log().find("avahi-daemon is not there") != std::string::npos; });
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
  CHECK(count(a.log(), "avahi-daemon is not there") <= 2); // said once each time, not with every attempt

  // The bus goes, and the daemon with it.
  a.avahi.stop_daemon();
  a.avahi.stop_bus();
  a.avahi.start_bus();
  a.avahi.start_daemon();
  wait_for("the announcement", 40s,
           [&] { return b.browse().find(lan::address(a.host) + ";5000") != std::string::npos; });
  a.stop();
  b.stop();
}

TEST_CASE("several interfaces: whoever shares one with a peer finds it there") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder, true, {1}}, both{folder, true, {1, 2}};
  a.start({"--bootstrap-expect", "2"});
  both.start({"--bootstrap-expect", "2"});
  wait_for("formation", 30s, [&] { return all_ready({&a, &both}); });
  const auto seen = both.browse();
  CAPTURE(seen);
  CHECK_THAT(seen, Contains(lan::address(both.host, 1) + ";5000"));
  CHECK_THAT(seen, Contains(lan::address(both.host, 2) + ";5000"));
  a.stop();
  both.stop();
}

TEST_CASE("two with the same name are both seen") {
  if (skipped()) return;
  const auto folder = make_folder();
  mdns_node a{folder}, b{folder};
  a.start({"--bootstrap-expect", "1"});
  wait_for("the first", 20s, [&] { return a.ready(); });
  std::filesystem::copy(folder / a.name, folder / "copy", std::filesystem::copy_options::recursive);
  b.start({"--bootstrap-expect", "0"}, "copy");
  // The second one has the same id, so the same name, until that collides.
  std::string seen;
  wait_for("another name", 30s, [&] {
    seen = a.browse();
    return seen.find("\\032\\0352") != std::string::npos; // " #2"
  });
  CAPTURE(seen);
  CHECK_THAT(seen, Contains(lan::address(a.host) + ";5000"));
  CHECK_THAT(seen, Contains(lan::address(b.host) + ";5000"));
  // And so the copy is noticed.
  wait_for("the complaint", 20s,
           [&] { return (a.log() + b.log()).find("one data directory is a copy") != std::string::npos; });
  a.stop();
  b.stop();
}

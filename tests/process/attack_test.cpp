// A cluster under load and under attack: no node crashes, no election takes place, no link between members is lost, and
// memory use and write latency stay bounded. TROUPE_LONG=1 runs the full size; TROUPE_SEED=N repeats an order of
// attacks.
#include "tests/process/attacker.hpp"
#include "tests/process/steady_writer.hpp"
#include "tests/unit/transport/certificates.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

using namespace troupe::testing;
namespace net = troupe::net;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t windows = 5;
constexpr int strikes_per_second = 100;
constexpr std::size_t usual_warm_up = 3'000;
constexpr std::size_t allowed_growth = 20u << 20;

bool full_size() { return std::getenv("TROUPE_LONG") != nullptr; }

std::uint64_t seed() {
  static const std::uint64_t chosen = [] {
    const auto* given = std::getenv("TROUPE_SEED");
    return given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }();
  return chosen;
}

attacker::targets targets_of(cluster& nodes) {
  attacker::targets at;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    at.raft_ports.push_back(nodes[i].raft_port());
    at.http_ports.push_back(nodes[i].http_port());
  }
  return at;
}

/// Checks what must not change during an attack: leader, term, memory and links.
class witness {
 public:
  explicit witness(cluster& nodes) : nodes_(nodes), leader_(nodes.wait_ready()), term_(term()) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) resident_.push_back(nodes_[i].process().resident_bytes());
  }
  void check() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      CAPTURE(i);
      REQUIRE(nodes_[i].running());
      const auto now = nodes_[i].process().resident_bytes();
      const auto grown = now > resident_[i] ? now - resident_[i] : 0;
      std::cout << "  node " << i + 1 << ": " << (resident_[i] >> 10) << " KiB, grown by " << (grown >> 10) << " KiB\n";
      if (memory_is_measurable) CHECK(grown < allowed_growth);
      CHECK(nodes_[i].log().find("lost the link") == std::string::npos);
    }
    CHECK(nodes_.leader() == leader_);
    CHECK(term() == term_);
  }

 private:
  json term() { return nodes_[leader_].status()["term"]; }

  cluster& nodes_;
  std::size_t leader_;
  json term_;
  std::vector<std::size_t> resident_;
};

/// Disables snapshots. A snapshot frees memory that the warm-up has filled, and writes then fill it again. Without
/// snapshots, memory grows only because of the attack.
const std::vector<std::string> no_snapshots{"--snapshot-entries", "1000000000", "--snapshot-log-size", "1TB"};

/// Writes until memory that grows with writes has grown: the log's cache of recent entries (16 MiB) is full, or the
/// following time is too short to fill it. Uses as many connections as the test does later: entries that arrive
/// together share a block of memory, so larger batches would fill the cache with less memory. How long it takes depends
/// on what else the machine does.
void warm_up(cluster& nodes, std::size_t writes) {
  steady_writer writers{nodes, {.pause = 0ms}};
  for (std::size_t next = 1'000; next <= writes; next += 1'000)
    wait_for("the next 1,000 writes of the warm-up", 30s, [&] { return writers.acknowledged() >= next; });
}

void attack_in_windows(cluster& nodes, attacker& enemy) {
  const auto length = full_size() ? 20s : 1s;
  warm_up(nodes, full_size() ? 250'000 : usual_warm_up);
  witness before{nodes};
  steady_writer writers{nodes, {}};
  std::vector<double> calm, attacked;
  std::map<std::string, int> kinds;
  for (std::size_t i = 0; i < windows; ++i) {
    std::this_thread::sleep_for(length); // nap: the calm window
    calm.push_back(writers.take_p99());
    const auto began = steady_clock::now();
    for (int n = 0; n < strikes_per_second * length / 1s; ++n) {
      std::this_thread::sleep_until(began + n * (1000ms / strikes_per_second)); // nap: the attack's pace
      ++kinds[enemy.strike()];
    }
    attacked.push_back(writers.take_p99());
  }
  for (const auto& [kind, count] : kinds) std::cout << "  " << count << " x " << kind << '\n';
  std::cout << "  p99 of writes: " << median(calm) << " ms calm, " << median(attacked) << " ms attacked\n";
  CHECK(median(attacked) < 3 * median(calm));
  before.check();
  CHECK(writers.stop() == std::vector<std::string>{});
}

} // namespace

TEST_CASE("100 hostile connections per second over all ports") {
  INFO("replay: TROUPE_SEED=" << seed());
  std::cout << "plain, seed " << seed() << '\n';
  ready_cluster nodes{3, lifetime::test_case, [](std::size_t) { return no_snapshots; }};
  attacker enemy{targets_of(nodes), seed()};
  attack_in_windows(nodes, enemy);
}

TEST_CASE("100 hostile connections per second over all ports, with TLS") {
  INFO("replay: TROUPE_SEED=" << seed());
  std::cout << "TLS, seed " << seed() << '\n';
  using net::testing::usage;
  const net::testing::temporary_folder folder;
  const net::testing::authority ca{folder, "ours"};
  const net::testing::authority stranger{folder, "theirs"};
  const auto options_of = [&](std::size_t i) {
    const auto files = ca.issue("node" + std::to_string(i));
    std::vector<std::string> options{
        "--tls-cert", files.cert.string(), "--tls-key",          files.key.string(),
        "--tls-ca",   files.ca.string(),   "--tls-cluster-name", net::testing::cluster_name};
    options.insert(options.end(), no_snapshots.begin(), no_snapshots.end());
    return options;
  };
  ready_cluster nodes{3, lifetime::test_case, options_of};
  auto at = targets_of(nodes);
  at.stolen.tls = net::tls_context::load(net::testing::options_for(ca.issue("stolen")));
  at.identities = {{"no certificate", {}},
                   {"a certificate of another CA", {stranger.issue("other")}},
                   {"an expired certificate", {ca.issue("old", {.ends = -60s})}},
                   {"a certificate for servers alone", {ca.issue("server", {.allowed = usage::server})}},
                   {"a certificate of another cluster", {ca.issue("elsewhere", {.names = {"another.test"}})}}};
  attacker enemy{at, seed()};
  attack_in_windows(nodes, enemy);
}

TEST_CASE("a flood of connections") {
  INFO("replay: TROUPE_SEED=" << seed());
  ready_cluster nodes{3};
  warm_up(nodes, usual_warm_up); // no client writes during the flood
  witness before{nodes};
  attacker enemy{targets_of(nodes), seed()};
  enemy.flood(full_size() ? 20s : 4s);
  const auto ended = steady_clock::now();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    wait_for("service after the flood", 5s, [&] { return nodes[i].call("PUT", "/v1/maps/m/k", "1").status == 200; });
  const std::chrono::duration<double> took = steady_clock::now() - ended;
  std::cout << "flood: " << enemy.strikes() << " connections; all nodes served " << took.count()
            << " s after its end\n";
  before.check();
}

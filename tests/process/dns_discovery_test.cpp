// Real nodes find each other by DNS.
#include "tests/process/cluster.hpp"
#include "tests/unit/discovery/name_server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <list>
#include <optional>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;
using test::dns_service;

TEST_CASE("three nodes find each other by SRV records and then no longer need them") {
  const std::string name = "_raft._tcp.troupe.test";
  std::optional<test::name_server> names{std::in_place};
  const auto folder = make_folder();
  const auto ports = free_ports(6);
  const auto discovery = "dns:" + name + ".,interval=1,server=127.0.0.1:" + std::to_string(names->port());
  std::list<server> nodes;
  for (std::size_t i = 0; i < 3; ++i)
    nodes.emplace_back("node" + std::to_string(i + 1), folder, ports[i], ports[i + 3], discovery,
                       std::vector<std::string>{"--bootstrap-expect", "3"});
  test::dns_reply listed;
  for (std::size_t i = 0; i < 3; ++i) listed.records.push_back({dns_type::srv, dns_service(ports[i], "localhost")});
  const auto ready = [&] { return std::all_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.ready(); }); };
  const auto asked_on = [&](int times) {
    const int before = names->asked(name, dns_type::srv);
    wait_for("more queries", 20s, [&] { return names->asked(name, dns_type::srv) >= before + times; });
  };

  for (auto& node : nodes) node.start();
  asked_on(6); // there are no records yet
  for (const auto& node : nodes) CHECK(node.status()["phase"] == "forming");
  names->say(name, dns_type::srv, listed);
  wait_for("formation", 20s, ready);
  nodes.front().put("a", 1);

  names->say(name, dns_type::srv, {}); // an empty answer must not make nodes leave each other
  asked_on(6);
  names.reset();
  nodes.front().put("a", 2);
  for (const auto& node : nodes) CHECK(node.get("a") == 2);
  for (auto& node : nodes) {
    node.process().signal(SIGTERM);
    CHECK(node.process().wait(10s) == 0);
  }
}

// The watcher example prints the events of its cluster.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("watchers report leadership, deaths and returns, and one of them runs the job") {
  const auto folder = make_folder();
  const auto ports = free_ports(3);
  std::string list = "static:";
  for (const auto port : ports) list += (list.back() == ':' ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
  const auto log_of = [&](std::size_t i) { return folder / ("w" + std::to_string(i) + ".log"); };
  const auto reports = [&](std::size_t i, const std::string& what, std::size_t from = 0) {
    return read_text(log_of(i)).find(what, from) != std::string::npos;
  };
  std::vector<std::unique_ptr<program>> watchers(3);
  const auto start = [&](std::size_t i) {
    const auto data = (folder / std::to_string(i)).string();
    watchers[i] = std::make_unique<program>(
        std::vector<std::string>{TROUPE_WATCHER, std::to_string(ports[i]), data, list}, log_of(i));
  };
  for (std::size_t i = 0; i < 3; ++i) start(i);
  std::size_t leader = 0;
  wait_for("start of the job", 20s, [&] {
    for (leader = 0; leader < 3; ++leader)
      if (reports(leader, "the job runs here")) return true;
    return false;
  });
  for (std::size_t i = 0; i < 3; ++i)
    wait_for("report of the leader", 10s, [&] { return reports(i, " leads in term "); });
  // A node can know the leader before it has the first entry. Without that entry, two nodes that have only promised
  // themselves to the formation cannot elect a leader.
  for (std::size_t i = 0; i < 3; ++i)
    wait_for("report of the membership", 10s, [&] { return reports(i, " is a member of cluster "); });

  watchers[leader]->kill();
  std::size_t successor = 0;
  wait_for("start of the job on another node", 10s, [&] {
    for (successor = 0; successor < 3; ++successor)
      if (successor != leader && reports(successor, "the job runs here")) return true;
    return false;
  });
  wait_for("report of the death", 20s, [&] { return reports(successor, "is considered dead"); });
  start(leader);
  wait_for("report of the return", 20s, [&] { return reports(successor, "answers again"); });
}

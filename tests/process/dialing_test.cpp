// Nodes find each other from few addresses; many useless addresses cost little.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// The CPU time that a process has used.
std::chrono::duration<double> cpu_time(pid_t pid) {
  std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  std::getline(stat, text);
  // The name may contain any character. User and system time are the 14th and 15th field.
  std::istringstream fields{text.substr(text.rfind(')') + 1)};
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  REQUIRE(fields);
  return std::chrono::duration<double>{(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

std::size_t threads_of(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/task"})
    ++count;
  return count;
}

/// Starts a node that forms a cluster of its own and gets these addresses.
std::unique_ptr<server> lonely_node(const std::filesystem::path& folder, const std::string& name,
                                    const std::string& discovery) {
  const auto ports = free_ports(2);
  auto node = std::make_unique<server>(name, folder, ports[0], ports[1], discovery,
                                       std::vector<std::string>{"--bootstrap-expect", "1"});
  node->start();
  wait_for("readiness of a single node", 20s, [&] { return node->ready(); });
  return node;
}

} // namespace

TEST_CASE("three fresh nodes that know the same seed always form one cluster") {
  for (int round = 0; round < 4; ++round) { // ids are random: usually a node other than the seed has the lowest one
    CAPTURE(round);
    const auto folder = make_folder();
    const auto ports = free_ports(6);
    std::vector<std::unique_ptr<server>> nodes;
    for (std::size_t i = 0; i < 3; ++i) {
      nodes.push_back(std::make_unique<server>("n" + std::to_string(i), folder, ports[i], ports[3 + i],
                                               "static:127.0.0.1:" + std::to_string(ports[0]),
                                               std::vector<std::string>{"--bootstrap-expect", "3"}));
      nodes.back()->start();
    }
    for (auto& node : nodes) wait_for("readiness of a node", 20s, [&] { return node->ready(); });
    const auto cluster = nodes[0]->status()["cluster_id"];
    for (auto& node : nodes) {
      CHECK(node->status()["cluster_id"] == cluster);
      CHECK(voters_of(body_of(node->call("GET", "/v1/members"), "/v1/members")).size() == 3);
    }
  }
}

TEST_CASE("a thousand addresses that refuse connections cost an idle node no thread and little CPU time") {
  const auto folder = make_folder();
  const auto port = std::to_string(free_ports(1)[0]);
  std::string many = "static:";
  for (int i = 0; i < 1000; ++i)
    many += (i == 0 ? "127.2." : ",127.2.") + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + ":" + port;
  const auto usual = lonely_node(folder, "usual", "static:127.2.0.1:" + port);
  const auto node = lonely_node(folder, "many", many);
  CHECK(threads_of(node->process().pid()) <= threads_of(usual->process().pid()));
  wait_for("a few seconds with less than 2 % of a core", 120s, [&] {
    const auto began = std::chrono::steady_clock::now();
    const auto before = cpu_time(node->process().pid());
    std::this_thread::sleep_for(4s); // nap: the period of the measurement
    const auto took = std::chrono::duration<double>{std::chrono::steady_clock::now() - began};
    return (cpu_time(node->process().pid()) - before) / took < 0.02;
  });
  CHECK(threads_of(node->process().pid()) <= threads_of(usual->process().pid()));
  CHECK(node->ready());
}

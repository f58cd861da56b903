// A node that cannot start prints the reason and exits.
#include "tests/process/cluster.hpp"
#include "tests/process/folder.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

server lonely(const std::string& name, const std::filesystem::path& folder, const std::string& discovery = "") {
  const auto ports = free_ports(2);
  return {name, folder, ports[0], ports[1], discovery};
}

void start_alone(server& node) {
  node.start();
  wait_for("election of " + node.name(), 10s, [&] { return node.ready(); });
}

} // namespace

TEST_CASE("--help shows the options and their defaults") {
  const auto shown = run_webserver({"--help"});
  CHECK(shown.code == 0);
  for (const auto* part : {"--raft-port", "TROUPE_RAFT_PORT", "5000", "--http-port", "8080", "--data-dir",
                           "--discovery", "--bootstrap-expect", "--bind", "127.0.0.1", "--advertise", "--heartbeat",
                           "100ms", "--election-timeout", "500ms", "--log-level", "info"})
    CHECK_THAT(shown.text, Contains(part));
}

TEST_CASE("wrong options give exit code 2 and a hint") {
  const std::vector<std::vector<std::string>> wrong{
      {"--no-such-option"},     {"--raft-port", "70000"},     {"--heartbeat", "soon"}, {"--log-level", "loud"},
      {"--heartbeat", "400ms"}, {"--bootstrap-expect", "-1"}, {"--raft-port", "0"},    {"--advertise", "foo"},
      {"--data-dir", ""},       {"--discovery", "static:"},   {"--segment-size", "10"}};
  for (const auto& options : wrong) {
    CAPTURE(options);
    const auto ended = run_webserver(options);
    CHECK(ended.code == 2);
    CHECK_THAT(ended.text, Contains("--help"));
  }
}

TEST_CASE("an unknown discovery method is refused") {
  const auto folder = make_folder();
  const auto ended = run_webserver({"--data-dir", (folder / "d").string(), "--discovery", "smoke:signals"});
  CHECK(ended.code == 2);
  CHECK_THAT(ended.text, Contains("--discovery") && Contains("smoke:signals"));
}

TEST_CASE("a data directory that is in use is refused") {
  const auto folder = make_folder();
  auto first = lonely("first", folder);
  start_alone(first);
  const auto raft_port = std::to_string(free_ports(1).front());
  const auto ended =
      run_webserver({"--raft-port", raft_port, "--http-port", "0", "--data-dir", first.data_dir().string()});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains(first.data_dir().string()));
  CHECK(first.ready());
}

TEST_CASE("a port that is in use is refused") {
  const auto folder = make_folder();
  auto first = lonely("first", folder);
  start_alone(first);
  const auto data = (folder / "second").string();
  const auto raft_port = std::to_string(first.raft_port());
  const auto no_raft = run_webserver({"--raft-port", raft_port, "--http-port", "0", "--data-dir", data});
  CHECK(no_raft.code == 1);
  CHECK_THAT(no_raft.text, Contains(raft_port));
  const auto http_port = std::to_string(first.http_port());
  const auto other_port = std::to_string(free_ports(1).front());
  const auto no_http = run_webserver({"--raft-port", other_port, "--http-port", http_port, "--data-dir", data});
  CHECK(no_http.code == 1);
  CHECK_THAT(no_http.text, Contains(http_port));
  CHECK(first.ready());
}

TEST_CASE("a node with a damaged log exits, even while the others connect to it") {
  ready_cluster nodes{3};
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[0].put("k" + std::to_string(i), 1);
  const auto damaged = nodes.follower();
  nodes[damaged].process().signal(SIGTERM);
  REQUIRE(nodes[damaged].process().wait(10s) == 0);
  for (const auto& file : std::filesystem::directory_iterator{nodes[damaged].data_dir() / "log"})
    if (file.path().extension() == ".wal") std::filesystem::resize_file(file.path(), 5000);
  for (int i = 0; i < 15; ++i) {
    nodes[damaged].start();
    const auto ended = nodes[damaged].process().wait(10s);
    CAPTURE(i, nodes[damaged].log());
    REQUIRE(ended == 1);
  }
  CHECK_THAT(nodes[damaged].log(), Contains("troupe-log repair"));
  CHECK(nodes[(damaged + 1) % 3].get("k0") == 1);
}

TEST_CASE("a data directory of another cluster is refused") {
  const auto folder = make_folder();
  auto stranger = lonely("stranger", folder);
  start_alone(stranger);
  stranger.put("k", 1);
  stranger.process().kill();

  cluster nodes{3};
  nodes.start();
  const auto last = nodes.follower();
  nodes[0].put("k", 2);
  nodes[last].process().kill();
  // Replaces a member's data by the stranger's.
  std::filesystem::rename(nodes[last].data_dir(), folder / "aside");
  std::filesystem::rename(stranger.data_dir(), nodes[last].data_dir());
  nodes[last].start();
  const auto refused = [](const server& node) { return node.log().find("belongs to cluster") != std::string::npos; };
  wait_for("a refusal in the node's log", 10s, [&] { return refused(nodes[last]); });
  wait_for("a refusal in a member's log", 10s, [&] { return refused(nodes[(last + 1) % nodes.size()]); });
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (i != last) CHECK(nodes[i].get("k") == 2);
}

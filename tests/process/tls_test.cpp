// Certificates and secrets between real nodes: which nodes are accepted, what is logged, and how files are renewed.
#include "tests/process/cluster.hpp"
#include "tests/unit/transport/certificates.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe::testing;
using namespace troupe::net::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using troupe::net::tls_files;

namespace {

using words = std::vector<std::string>;

words tls_flags(const tls_files& files) {
  return {"--tls-cert", files.cert.string(), "--tls-key",          files.key.string(),
          "--tls-ca",   files.ca.string(),   "--tls-cluster-name", cluster_name};
}

/// Runs a node with these options, and its own ports and directory, until it exits.
program_end run_with(words options) {
  const auto folder = make_folder();
  const auto ports = free_ports(2);
  const words basic{"--raft-port", std::to_string(ports[0]),  "--http-port", std::to_string(ports[1]),
                    "--data-dir",  (folder / "data").string()};
  options.insert(options.begin(), basic.begin(), basic.end());
  return run_webserver(std::move(options));
}

void wait_for_line(const server& node, const std::string& text) {
  INFO("the log of " << node.name() << ": " << node.log());
  CHECK_NOTHROW(wait_for("\"" + text + "\" in the log of " + node.name(), 10s,
                         [&] { return node.log().find(text) != std::string::npos; }));
}

/// Starts two nodes that know each other, each with its own options, and checks that both log a refusal.
void check_refusals(const words& first, const words& second, const std::string& first_says,
                    const std::string& second_says) {
  cluster nodes{2, lifetime::test_case, [&](std::size_t i) { return i == 0 ? first : second; }};
  nodes.start();
  wait_for_line(nodes[0], first_says);
  wait_for_line(nodes[1], second_says);
  for (std::size_t i = 0; i < 2; ++i) CHECK(nodes[i].log().find("linked to node") == std::string::npos);
}

} // namespace

TEST_CASE("renewed files are loaded within 10 s, unusable ones are not, and links are kept") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const authority stranger{folder, "stranger"};
  ready_cluster nodes{3, lifetime::test_case,
                      [&](std::size_t i) { return tls_flags(ca.issue("node" + std::to_string(i))); }};
  ca.issue("node0", {.names = {cluster_name, "renewed.test"}});
  wait_for_line(nodes[0], "took over renewed files: certificate for cluster.test renewed.test");

  const auto other = stranger.issue("other");
  std::filesystem::copy_file(other.key, folder / "node1.key.pem", std::filesystem::copy_options::overwrite_existing);
  wait_for_line(nodes[1], "the old ones stay in use: the TLS key");

  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].put("k", static_cast<int>(i));
    CHECK(nodes[i].log().find("lost the link") == std::string::npos);
  }
  // The other nodes accept a restarted node, one with its renewed certificate, one with its old one.
  nodes[2].process().kill();
  nodes[2].start();
  nodes.wait_ready();
  nodes[2].put("k", 4);
}

TEST_CASE("a node with unusable TLS files exits with a message") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  const auto good = ca.issue("good");
  const auto start = [&](const tls_files& files) { return run_with(tls_flags(files)); };

  auto files = good;
  files.cert = folder / "nowhere";
  auto ended = start(files);
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains("nowhere") && Contains("No such file"));

  files = good;
  files.key = ca.issue("another").key;
  ended = start(files);
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains("does not belong to the certificate"));

  std::filesystem::permissions(good.key, std::filesystem::perms{0644});
  ended = start(good);
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains("others can access it"));

  ended = start(ca.issue("late", {.ends = -60s}));
  CHECK(ended.code == 1);
  CHECK_THAT(ended.text, Contains("expired"));
}

TEST_CASE("a node with TLS and one without refuse each other, and both log the reason") {
  const temporary_folder folder;
  const authority ca{folder, "ca"};
  check_refusals(tls_flags(ca.issue("node")), {}, "does not speak TLS", "requires TLS");
}

TEST_CASE("nodes with different secrets refuse each other, and both log the reason") {
  const temporary_folder folder;
  write_private(folder / "one", "a secret of sixteen or more");
  write_private(folder / "two", "a secret of sixteen or less");
  const auto flags = [&](const std::string& name) { return words{"--cluster-secret-file", (folder / name).string()}; };
  check_refusals(flags("one"), flags("two"), "another cluster secret", "another cluster secret");
  check_refusals(flags("one"), {}, "another cluster secret", "another cluster secret");
}

TEST_CASE("nodes that share a secret form a cluster") {
  const temporary_folder folder;
  write_private(folder / "secret", "a secret of sixteen or more\n");
  ready_cluster nodes{3, lifetime::test_case, [&](std::size_t) {
                        return words{"--cluster-secret-file", (folder / "secret").string()};
                      }};
  nodes[0].put("k", 1);
  CHECK(nodes[1].get("k") == 1);
}

TEST_CASE("addresses that other machines can reach need TLS or --insecure") {
  for (const std::string address : {"0.0.0.0", "::", ""}) {
    const auto ended = run_with({"--bind", address});
    CHECK(ended.code == 2);
    CHECK_THAT(ended.text, Contains("without TLS") && Contains("--insecure"));
  }
  const auto folder = make_folder();
  const auto ports = free_ports(2);
  server open{"open", folder, ports[0], ports[1], "", {"--bind", "0.0.0.0", "--insecure"}};
  open.start();
  wait_for("readiness of the insecure node", 10s, [&] { return open.ready(); });
}

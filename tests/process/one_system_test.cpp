// Any number of nodes and clients in one actor system, started and stopped in any order, next to clusters of other
// processes. CAF has one connection for each pair of systems, so the nodes and clients share their connections.
#include "tests/process/cluster.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <cctype>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <troupe/client.hpp>
#include <troupe/node.hpp>
#include <troupe/services/map.hpp>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

std::string address_of(const server& node) { return "127.0.0.1:" + std::to_string(node.raft_port()); }

std::vector<std::string> addresses_of(cluster& nodes) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < nodes.size(); ++i) all.push_back(address_of(nodes[i]));
  return all;
}

using map_actor = troupe::service_actor<troupe::map_service>;

/// Puts and gets a value. Returns the error, or nothing if both succeeded.
std::optional<troupe::error_info> try_out(caf::actor_system& system, const map_actor& map, milliseconds timeout) {
  static int last = 0;
  const int value = ++last;
  std::optional<troupe::error_info> failed;
  const auto fail = [&](const caf::error& e) { failed = troupe::describe(e); };
  caf::scoped_actor self{system};
  self->request(map, caf::infinite, troupe::with<troupe::map::put>{{"m", "k", troupe::value::of(value)}, timeout})
      .receive([](const troupe::map::put_result&) {}, fail);
  if (failed) return failed;
  self->request(map, caf::infinite, troupe::with<troupe::map::get>{{"m", "k"}, timeout})
      .receive(
          [&](const troupe::map::get_result& found) {
            if (!found.value || found.value->as<int>() != value)
              failed = troupe::error_info{{}, "another value", {}, {}};
          },
          fail);
  return failed;
}

/// Clusters of other processes: one with three nodes, and one with a single node.
struct outer_clusters {
  ready_cluster three{3};
  ready_cluster single{1};
  std::vector<std::uint16_t> ports = free_ports(2);
  std::filesystem::path folder = make_folder();

  /// Kills the leader of the three nodes. Returns false if none of them leads.
  bool kill_leader() {
    for (std::size_t i = 0; i < three.size(); ++i) {
      if (three[i].status()["role"] != "leader") continue;
      three[i].process().kill();
      return true;
    }
    return false;
  }
  void revive() {
    for (std::size_t i = 0; i < three.size(); ++i)
      if (!three[i].running()) three[i].start();
    for (std::size_t i = 0; i < three.size(); ++i) wait_for("return of a node", 20s, [&] { return three[i].ready(); });
  }
};

/// One actor system with its nodes and clients: a and b are clients of the three nodes, o is a client of the single
/// node, and n and m are nodes that join the three.
class house {
 public:
  explicit house(outer_clusters& around) : around_(around) {}

  /// "+a": a starts; "-a": a stops; "!": the leader dies and returns. Checks that all running nodes and clients are
  /// served afterwards.
  void carry_out(const std::string& step) {
    INFO("step " << step);
    if (step == "!") {
      if (!around_.kill_leader()) return;
      // Requests may still go to the dead node until its death is detected.
      for (const auto& [name, map] : maps_)
        wait_for(std::string{"service for "} + name, 20s, [&] { return !try_out(system_, map, 2s); });
      around_.revive();
    } else if (step[0] == '+') {
      start(step[1]);
    } else {
      maps_.erase(step[1]);
      clients_.erase(step[1]);
      nodes_.erase(step[1]);
    }
    for (const auto& [name, map] : maps_) {
      INFO(name << " of " << living());
      const auto failed = try_out(system_, map, 20s);
      INFO((failed ? failed->message : ""));
      REQUIRE_FALSE(failed);
    }
  }
  caf::actor_system& system() { return system_; }
  troupe::node_options node_options(char name) const {
    troupe::node_options options;
    options.data_dir = around_.folder / std::string(1, name);
    options.raft_port = around_.ports[name == 'n' ? 0 : 1];
    options.bootstrap_expect = 0;
    options.discovery = "static:";
    for (const auto& address : addresses_of(around_.three))
      options.discovery += (options.discovery.back() == ':' ? "" : ",") + address;
    return options;
  }

 private:
  void start(char name) {
    if (name == 'n' || name == 'm') {
      auto& node = nodes_[name] =
          std::make_unique<troupe::node>(troupe::spawn_node(system_, node_options(name), troupe::map_service{}));
      maps_[name] = node->service<troupe::map_service>();
      return;
    }
    troupe::client_options options;
    options.endpoints = addresses_of(name == 'o' ? static_cast<cluster&>(around_.single) : around_.three);
    auto& client = clients_[name] = std::make_unique<troupe::client>(troupe::spawn_client(system_, options));
    maps_[name] = client->service<troupe::map_service>();
  }
  std::string living() const {
    std::string names;
    for (const auto& [name, map] : maps_) names += name;
    return names;
  }

  outer_clusters& around_;
  troupe::config config_;
  caf::actor_system system_{config_};
  std::map<char, std::unique_ptr<troupe::client>> clients_;
  std::map<char, std::unique_ptr<troupe::node>> nodes_;
  std::map<char, map_actor> maps_;
};

void live(outer_clusters& around, const std::string& steps) {
  INFO("steps " << steps);
  house one{around};
  std::istringstream words{steps};
  for (std::string step; words >> step;) one.carry_out(step);
}

/// Both start, each restarts while the other runs, and both stop.
std::string steps_of_pair(const std::string& pair) {
  const std::string x(1, pair[0]), y(1, pair[1]);
  return "+" + x + " +" + y + " -" + x + " +" + x + " -" + y + " +" + y + " -" + x + " -" + y;
}

} // namespace

TEST_CASE("two nodes or clients of one actor system are served in any order of starts and stops") {
  outer_clusters around;
  // The leader dies only while no further node has joined, which the majority would then need.
  live(around, "+a +b ! ! -a !");
  live(around, "+a +n ! -a !");
  for (const auto* pair : {"ab", "ao", "an", "na", "nm", "no", "on"}) live(around, steps_of_pair(pair));
  live(around, "+n -n +n -n +n");
}

TEST_CASE("many nodes and clients of one actor system are served in any order of starts and stops") {
  outer_clusters around;
  live(around, "+a +n +o +m +b -n -a +n -b +a -m -o +b +o +m ! -b -a -o -n");
}

TEST_CASE("a second node with the same directory or port in one actor system is refused with a reason") {
  outer_clusters around;
  house one{around};
  one.carry_out("+n");
  auto same_directory = one.node_options('m');
  same_directory.data_dir = one.node_options('n').data_dir;
  CHECK_THROWS_WITH(troupe::spawn_node(one.system(), same_directory, troupe::map_service{}), Contains("is in use by"));
  auto same_port = one.node_options('m');
  same_port.raft_port = one.node_options('n').raft_port;
  CHECK_THROWS_WITH(troupe::spawn_node(one.system(), same_port, troupe::map_service{}), Contains("in use"));
  one.carry_out("+m");
}

TEST_CASE("clients with different secrets in one actor system do not share connections") {
  const auto folder = make_folder();
  const auto write = [&](const char* name) {
    std::ofstream{folder / name} << "a secret of sixteen bytes or more\n";
    std::filesystem::permissions(folder / name, std::filesystem::perms::owner_read);
    return folder / name;
  };
  const auto secret = write("secret"), copy = write("copy");
  ready_cluster guarded{1, lifetime::test_case, [&](std::size_t) {
                          return std::vector<std::string>{"--cluster-secret-file", secret.string()};
                        }};
  ready_cluster open{1};
  troupe::config config;
  caf::actor_system system{config};
  const auto client_of = [&](cluster& nodes, const std::filesystem::path& file) {
    troupe::client_options options;
    options.endpoints = addresses_of(nodes);
    options.transport.cluster_secret_file = file;
    return troupe::spawn_client(system, options);
  };
  std::optional<troupe::client> first{client_of(guarded, secret)};
  auto beside = client_of(open, {});
  CHECK_FALSE(try_out(system, first->service<troupe::map_service>(), 10s));
  CHECK_FALSE(try_out(system, beside.service<troupe::map_service>(), 10s));

  auto without = client_of(guarded, {});
  const auto refused = try_out(system, without.service<troupe::map_service>(), 1s);
  REQUIRE(refused);
  CHECK(refused->code == troupe::errc::no_leader);
  CHECK_THAT(refused->message, Contains(address_of(guarded[0])) && Contains("has another cluster secret, or none"));

  // The same secret in another file counts as different: the first client already owns the connection to that process.
  auto other = client_of(guarded, copy);
  const auto unreachable = try_out(system, other.service<troupe::map_service>(), 1s);
  REQUIRE(unreachable);
  CHECK(unreachable->code == troupe::errc::no_leader);
  CHECK_THAT(unreachable->message, Contains(address_of(guarded[0])));
  CHECK_FALSE(try_out(system, first->service<troupe::map_service>(), 10s));
  first.reset();
  CHECK_FALSE(try_out(system, other.service<troupe::map_service>(), 20s));
}

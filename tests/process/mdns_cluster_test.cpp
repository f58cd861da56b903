// Clusters that find each other by mDNS: they grow and shrink, are partitioned, lose hosts and change all their
// addresses, while clients write.
#include "tests/process/load.hpp"
#include "tests/process/mdns_node.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

using namespace troupe::testing;
using namespace std::chrono_literals;
using Catch::Contains;
using std::chrono::steady_clock;

namespace {

using words = std::vector<std::string>;

/// Nodes on separate hosts, and clients that write through the running nodes during its lifetime.
class living_cluster {
 public:
  /// Starts all nodes with the options `common`.
  explicit living_cluster(words common = {}) : common_(std::move(common)) {}

  mdns_node& operator[](std::size_t i) { return *nodes_[i]; }
  std::set<std::size_t> there() const { return there_; }

  /// Starts a node on a new host.
  void add(const words& more = {}) {
    nodes_.push_back(std::make_unique<mdns_node>(folder_));
    start(nodes_.size() - 1, more);
    writers_.allow(endless);
  }
  void start(std::size_t i, const words& more = {}) {
    auto options = common_;
    options.insert(options.end(), more.begin(), more.end());
    addresses_.set(i, nodes_[i]->address);
    nodes_[i]->start(options);
    there_.insert(i);
    writers_.go_through({there_.begin(), there_.end()});
  }
  /// Makes a host disappear without notice.
  void lose(std::size_t i) {
    network().set_link(nodes_[i]->host, false);
    nodes_[i]->process->kill();
    is_gone(i);
  }
  /// Stops the node in order.
  void stop(std::size_t i) {
    nodes_[i]->stop();
    is_gone(i);
  }
  void readdress(std::size_t i, const std::string& to) {
    nodes_[i]->readdress(to);
    addresses_.set(i, to);
  }

  /// Waits until exactly the running nodes are voters, all of them know it and are ready, and clients are served.
  void wait_settled(const std::string& what) {
    wait_for(what, 40s, [&] { return is_settled(); });
    wait_written();
  }
  void wait_written() {
    const auto enough = writers_.acknowledged() + 20;
    wait_for("more writes", 20s, [&] { return writers_.acknowledged() >= enough; });
  }
  std::size_t leader() {
    std::size_t found = 0;
    wait_for("election of a leader", 10s, [&] {
      for (const auto i : there_)
        if (nodes_[found = i]->status().at("role") == "leader") return true;
      return false;
    });
    return found;
  }
  /// Stops the clients and checks that every node has all acknowledged writes.
  void check_nothing_lost() {
    writers_.stop();
    std::cout << writers_.acknowledged() << " writes acknowledged, " << writers_.maybe() << " unknown\n";
    CHECK(writers_.wrong() == words{});
    for (const auto i : there_) CHECK(writers_.check(i) == words{});
  }

 private:
  /// The addresses of the nodes, for the clients' threads.
  class address_book {
   public:
    void set(std::size_t i, std::string address) {
      const std::lock_guard lock{mutex_};
      addresses_[i] = std::move(address);
    }
    troupe::http::client connect(std::size_t i) const {
      const std::lock_guard lock{mutex_};
      return {addresses_.at(i), 8080, 8s};
    }

   private:
    mutable std::mutex mutex_;
    std::map<std::size_t, std::string> addresses_;
  };

  void is_gone(std::size_t i) {
    there_.erase(i);
    if (!there_.empty()) writers_.go_through({there_.begin(), there_.end()});
  }
  bool is_settled() {
    std::set<std::string> ids;
    for (const auto i : there_) {
      if (!nodes_[i]->ready()) return false;
      ids.insert(nodes_[i]->id());
    }
    for (const auto i : there_) {
      const auto members = nodes_[i]->members();
      if (members.at("changing") == true || voters_of(members) != ids) return false;
    }
    return true;
  }

  static constexpr std::size_t endless = 1'000'000;

  std::filesystem::path folder_ = make_folder();
  words common_;
  std::vector<std::unique_ptr<mdns_node>> nodes_;
  std::set<std::size_t> there_;
  address_book addresses_;
  // The writes are few enough to read all of them through each node. This is the last member: clients end before nodes.
  load writers_{[this](std::size_t i) { return addresses_.connect(i); }, {endless, 4, 15ms}, {0}};
};

constexpr auto one_key = "/v1/maps/m/before";

/// The answers of a node that are wrong while it is separated from the majority.
words wrong_answers_of(mdns_node& node) {
  auto connection = node.http();
  words wrong;
  const auto ask = [&](const char* method, const char* options, const char* body, bool may_be_served) {
    const auto answer = connection.request(method, one_key + std::string{options}, body);
    if ((answer.status == 200) == may_be_served) return;
    wrong.push_back(node.name + ' ' + method + options + " answered " + std::to_string(answer.status) + ": " +
                    answer.body);
  };
  ask("GET", "?timeout=500ms", "", false);
  ask("PUT", "?timeout=500ms", "2", false);
  ask("GET", "?level=stale", "", true); // stale reads are served
  return wrong;
}

} // namespace

TEST_CASE("a cluster grows from one node to three and to five, and shrinks to three, while clients write") {
  if (skipped()) return;
  living_cluster nodes{{"--grace", "2s", "--leave"}};
  nodes.add({"--bootstrap-expect", "1"});
  nodes.wait_settled("a cluster of one");
  for (int i = 0; i < 2; ++i) nodes.add();
  nodes.wait_settled("a cluster of three");
  for (int i = 0; i < 2; ++i) nodes.add();
  nodes.wait_settled("a cluster of five");
  const auto leaving = nodes.leader();
  nodes.stop(leaving);
  CHECK_THAT(nodes[leaving].log(), Contains("has left the cluster"));
  nodes.wait_settled("a cluster of four");
  nodes.lose(nodes.leader());
  nodes.wait_written();
  nodes.wait_settled("the removal of the lost node");
  nodes.check_nothing_lost();
}

TEST_CASE("three nodes that are started at once form one cluster") {
  if (skipped()) return;
  living_cluster nodes{{"--bootstrap-expect", "3"}};
  for (int i = 0; i < 3; ++i) nodes.add();
  nodes.wait_settled("a cluster of three");
  std::set<std::string> clusters;
  for (const auto i : nodes.there()) clusters.insert(nodes[i].status().at("cluster_id").get<std::string>());
  CHECK(clusters.size() == 1);
  nodes.check_nothing_lost();
}

TEST_CASE("in a partition of five nodes, two serve no requests, three continue, and all remain members") {
  if (skipped()) return;
  living_cluster nodes{{"--bootstrap-expect", "5"}};
  for (int i = 0; i < 5; ++i) nodes.add();
  nodes.wait_settled("a cluster of five");
  const auto leader = nodes.leader();
  const std::vector<std::size_t> cut_off{leader, (leader + 1) % 5};
  REQUIRE(nodes[leader].http().request("PUT", one_key, "1").status == 200);
  for (const auto i : cut_off) REQUIRE(nodes[i].http().request("GET", one_key).status == 200);
  const auto members = nodes[leader].members();

  std::vector<int> hosts;
  for (const auto i : cut_off) hosts.push_back(nodes[i].host);
  network().set_apart(hosts, true);
  const auto end = steady_clock::now() + 30s;
  while (steady_clock::now() < end) {
    for (const auto i : cut_off) CHECK(wrong_answers_of(nodes[i]) == words{});
    nodes.wait_written();
  }
  for (const auto i : cut_off) CHECK_FALSE(nodes[i].ready());
  network().set_apart(hosts, false);

  nodes.wait_settled("the healing");
  for (const auto i : nodes.there())
    CHECK(nodes[i].members().at("configuration_index") == members.at("configuration_index"));
  nodes.check_nothing_lost();
}

TEST_CASE("an empty node replaces a node whose host is lost") {
  if (skipped()) return;
  living_cluster nodes{{"--grace", "1s"}};
  for (int i = 0; i < 3; ++i) nodes.add({"--bootstrap-expect", "3"});
  nodes.wait_settled("a cluster of three");
  nodes.lose(nodes.leader());
  nodes.wait_written();
  nodes.add();
  nodes.wait_settled("the replacement");
  nodes.check_nothing_lost();
}

TEST_CASE("a cluster survives a change of all addresses, while its nodes are down and while they run") {
  if (skipped()) return;
  living_cluster nodes{{"--bootstrap-expect", "3"}};
  for (int i = 0; i < 3; ++i) nodes.add();
  nodes.wait_settled("a cluster of three");
  const auto all = nodes.there();
  for (const auto i : all) nodes[i].process->kill();
  for (const auto i : all) nodes.readdress(i, lan::address(100 + nodes[i].host));
  for (const auto i : all) nodes.start(i);
  nodes.wait_settled("the cluster at other addresses");
  for (const auto i : all) CHECK(nodes[i].status().at("address") == nodes[i].address + ":5000");

  // The advertised addresses are wrong from now on; the nodes find each other only by mDNS.
  for (const auto i : all) nodes.readdress(i, lan::address(200 + nodes[i].host));
  nodes.wait_written();
  nodes.wait_settled("the cluster at yet other addresses");
  nodes.check_nothing_lost();
}

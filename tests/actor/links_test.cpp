// Links, handshakes and the formation of a cluster: the real actors of several nodes in one actor system, under CAF's
// testing scheduler, with a table of addresses instead of a network.
#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/formation_actor.hpp"
#include "actors/cluster/link_factory.hpp"
#include "actors/cluster/links.hpp"
#include "tests/actor/captured_log.hpp"
#include "tests/actor/plain_config.hpp"
#include "tests/actor/send_as.hpp"
#include "tests/actor/test_scheduler.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

/// The network: the endpoint at each address. A missing address refuses connections.
using listeners = std::map<std::string, endpoint_handle>;

class table_connector : public connector_handle::base {
 public:
  table_connector(caf::actor_config& config, std::shared_ptr<listeners> table, std::string address,
                  std::shared_ptr<int> hung_up, std::shared_ptr<int> dials, std::shared_ptr<std::string> words)
      : connector_handle::base(config), table_(std::move(table)), address_(std::move(address)),
        hung_up_(std::move(hung_up)), dials_(std::move(dials)), words_(std::move(words)) {}
  behavior_type make_behavior() override {
    return {
        [this](const dial&) -> caf::result<dialed> {
          ++*dials_;
          const auto found = table_->find(address_);
          if (found == table_->end()) return caf::make_error(caf::sec::cannot_connect_to_node, *words_);
          return dialed{found->second};
        },
        [this](const disconnect&) { ++*hung_up_; },
    };
  }

 private:
  std::shared_ptr<listeners> table_;
  std::string address_;
  std::shared_ptr<int> hung_up_;
  std::shared_ptr<int> dials_;
  std::shared_ptr<std::string> words_;
};

struct table_factory : link_factory {
  std::shared_ptr<listeners> table = std::make_shared<listeners>();
  /// Number of requests to cut a connection.
  std::shared_ptr<int> hung_up = std::make_shared<int>(0);
  std::shared_ptr<int> dials = std::make_shared<int>(0);
  /// The error text of an address without a listener.
  std::shared_ptr<std::string> words = std::make_shared<std::string>("refused");
  connector_handle make_connector(caf::actor_system& system, const std::string& address) override {
    return system.spawn<table_connector>(table, address, hung_up, dials, words);
  }
};

struct memory_identity : identity_store {
  cluster_id formed;
  std::optional<std::string> bytes;
  cluster_id cluster() const override { return formed; }
  std::optional<std::string> promise() const override { return bytes; }
  void set_promise(std::optional<std::string> value) override { bytes = std::move(value); }
  std::uint64_t restored() const override { return 0; }
  void set_cluster(cluster_id value, std::uint64_t) override { formed = value; }
};

/// The messages that a recorder got.
struct records {
  std::vector<membership_decision> decisions;
  std::vector<std::uint64_t> up; // incarnations
  std::vector<node_id> down;
  peers_view view;
  std::vector<node_identity> identities;
  std::vector<std::string> routed;
  std::vector<epoch_t> drains;
  peer_list peers;
  std::optional<client_welcome> welcome;
};

/// Replaces all other actors of a node: proxy, role, replicator, supervisor.
class recorder : public compat::untyped_base {
 public:
  recorder(caf::actor_config& config, std::shared_ptr<records> to, std::string name)
      : compat::untyped_base(config), to_(std::move(to)), name_(std::move(name)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const membership_decision& m) { to_->decisions.push_back(m); },
        [this](const link_up& m) { to_->up.push_back(m.peer.incarnation); },
        [this](const link_down& m) { to_->down.push_back(m.peer); },
        [this](const peers_view& m) { to_->view = m; },
        [this](const node_identity& m) { to_->identities.push_back(m); },
        [this](const peer_list& m) { to_->peers = m; },
        [this](const drained& m) { to_->drains.push_back(m.epoch); },
        [this](const client_welcome& m) { to_->welcome = m; },
        [this](const raft::vote_request&) { to_->routed.push_back(name_ + " vote_request"); },
        [this](const raft::append_response&) { to_->routed.push_back(name_ + " append_response"); },
        [this](const command_batch&) { to_->routed.push_back(name_ + " command_batch"); },
    };
  }

 private:
  std::shared_ptr<records> to_;
  std::string name_;
};

/// Answers hello only while `speaks` is set.
class moody_endpoint : public compat::untyped_base {
 public:
  moody_endpoint(caf::actor_config& config, hello answer, std::shared_ptr<bool> speaks)
      : compat::untyped_base(config), answer_(std::move(answer)), speaks_(std::move(speaks)) {}
  caf::behavior make_behavior() override {
    return {[this](const hello&) {
      auto promise = make_response_promise<hello>();
      if (*speaks_)
        promise.deliver(answer_);
      else
        unanswered_.push_back(promise); // CAF 1.x answers for a promise that is dropped
      return promise;
    }};
  }

 private:
  hello answer_;
  std::shared_ptr<bool> speaks_;
  std::vector<caf::typed_response_promise<hello>> unanswered_;
};

struct world {
  test::plain_config config;
  test::test_system system{config};
  test::test_scheduler& sched = system.coordinator();
  std::shared_ptr<table_factory> factory = std::make_shared<table_factory>();
  std::vector<caf::actor> all;

  template <class Handle> Handle keep(Handle h) {
    all.push_back(caf::actor_cast<caf::actor>(h));
    return h;
  }
  caf::actor record(const std::shared_ptr<records>& to, const std::string& name = {}) {
    return keep(system.spawn<recorder>(to, name));
  }
  template <class Handle> Handle record_as(const std::shared_ptr<records>& to, const std::string& name = {}) {
    return caf::actor_cast<Handle>(record(to, name));
  }
  /// Advances virtual time in small steps.
  void run_for(std::chrono::milliseconds time) {
    sched.run();
    for (auto left = time; left > 0ms; left -= 10ms) {
      sched.advance_time(10ms);
      sched.run();
    }
  }
  ~world() {
    for (auto& a : all) caf::anon_send_exit(a, caf::exit_reason::kill);
    factory->table->clear();
    all.clear();
    run_for(15s);
  }
};

hello who(std::uint64_t id, std::uint64_t incarnation = 1, const std::string& address = {}) {
  hello h;
  h.node = {id};
  h.incarnation = incarnation;
  h.address = address.empty() ? "n" + std::to_string(id) + ":1" : address;
  return h;
}

hello formed(hello h, std::uint64_t cluster) {
  h.state = membership_state::formed;
  h.cluster = {cluster};
  return h;
}

/// The actors around the replica of one node.
struct node {
  world& w;
  std::shared_ptr<records> seen = std::make_shared<records>();
  std::shared_ptr<memory_identity> store = std::make_shared<memory_identity>();
  caf::actor rest;
  links_handle links;
  formation_handle formation;
  endpoint_handle endpoint;

  node(world& to, hello self, raft::bootstrap_rule rule = {.expect = 0}) : w(to) {
    store->formed = self.state == membership_state::formed ? self.cluster : cluster_id{};
    rest = w.record(seen, "rest");
    links = w.keep(w.system.spawn<troupe::links>(self, w.factory, self.node.value));
    compat::anon_send(links, watch_links{caf::actor_cast<link_watcher>(rest)});
    compat::anon_send(links, watch_peers{caf::actor_cast<peers_watcher>(rest)});
    formation = w.keep(w.system.spawn<formation_actor>(
        formation_setup{self, rule, self.node.value * 1000, store, links, caf::actor_cast<membership_listener>(rest)}));
    endpoint = w.keep(w.system.spawn<troupe::endpoint>(self, caf::actor_cast<proxy_handle>(rest), formation, links,
                                                       caf::actor_cast<health_monitor_handle>(rest)));
    (*w.factory->table)[self.address] = endpoint;
  }
  void discover(std::vector<std::string> addresses) {
    compat::anon_send(links, peers_changed{"static", std::move(addresses)});
  }
  peer_list peers() {
    test::send_as(rest, links, get_peers{}); // `rest` records the answer
    w.sched.run();
    return seen->peers;
  }
};

} // namespace

TEST_CASE("a watcher of the node's identity gets it once per question and once per change", "[links]") {
  world w;
  node x{w, who(11)};
  for (int i = 0; i < 2; ++i) compat::anon_send(x.links, watch_identity{caf::actor_cast<identity_watcher>(x.rest)});
  auto formed = who(11);
  formed.cluster = cluster_id{5};
  compat::anon_send(x.links, identity_changed{formed});
  w.run_for(1s);
  REQUIRE(x.seen->identities.size() == 3);
  CHECK(x.seen->identities.front().address == "n11:1");
  CHECK(x.seen->identities.back().cluster == formed.cluster);
}

TEST_CASE("three nodes find each other and form one cluster", "[links]") {
  world w;
  node x{w, who(11), {}}, y{w, who(12), {}}, z{w, who(13), {}};
  for (auto* n : {&x, &y, &z}) n->discover({"n11:1", "n12:1", "n13:1"});
  w.run_for(5s);
  REQUIRE(x.seen->decisions.size() == 1);
  const auto cluster = x.seen->decisions.front().cluster;
  CHECK(x.seen->decisions.front().initial.voters.size() == 3);
  for (auto* n : {&y, &z}) {
    REQUIRE(n->seen->decisions.size() == 1);
    CHECK(n->seen->decisions.front().cluster == cluster);
    CHECK(n->seen->decisions.front().initial.empty());
    CHECK_FALSE(n->store->formed);
    compat::anon_send(n->formation, formed_now{cluster});
  }
  w.run_for(3s);
  for (auto* n : {&x, &y, &z}) {
    CHECK(n->store->formed == cluster);
    CHECK(n->seen->up.size() == 2);
    CHECK(n->seen->down.empty());
    CHECK(n->seen->view.self.state == membership_state::formed);
    for (const auto& peer : n->seen->view.peers) CHECK(peer.who.state == membership_state::formed);
  }
}

TEST_CASE("fresh nodes introduce each other and form one cluster, whichever addresses they were given", "[links]") {
  // For each node, the node whose address it is given. The ids decide which node proposes, not the addresses.
  for (const auto& named : {std::vector<std::uint64_t>{13, 13, 13, 13}, {11, 11, 11, 11}, {11, 11, 12, 13}}) {
    world w;
    node a{w, who(11), {4}}, b{w, who(12), {4}}, c{w, who(13), {4}}, d{w, who(14), {4}};
    const std::vector<node*> nodes{&a, &b, &c, &d};
    for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i]->discover({"n" + std::to_string(named[i]) + ":1"});
    w.run_for(8s);
    REQUIRE_FALSE(a.seen->decisions.empty());
    const auto made = a.seen->decisions.back();
    CHECK(made.initial.voters.size() == 4);
    for (auto* n : nodes) {
      REQUIRE_FALSE(n->seen->decisions.empty());
      CHECK(n->seen->decisions.back().cluster == made.cluster);
      CHECK(n->seen->view.peers.size() == 3);
      compat::anon_send(n->formation, formed_now{made.cluster});
    }
    w.run_for(2s);
    // A node with a cluster introduces no other node.
    for (auto* n : nodes) CHECK(n->seen->view.self.introduces.empty());
  }
}

TEST_CASE("refuses a node that introduces too many nodes", "[links]") {
  world w;
  node a{w, who(1)};
  auto talker = who(2);
  for (std::uint64_t id = 100; id < 200; ++id) talker.introduces.push_back({{id}, "n" + std::to_string(id) + ":1"});
  (*w.factory->table)["n2:1"] =
      caf::actor_cast<endpoint_handle>(w.keep(w.system.spawn<moody_endpoint>(talker, std::make_shared<bool>(true))));
  a.discover({"n2:1"});
  w.run_for(1s);
  CHECK(a.seen->up.empty());
  REQUIRE(a.peers().peers.size() == 1);
  CHECK(a.peers().peers[0].problem.find("introduces too many") != std::string::npos);
}

TEST_CASE("text from another node cannot contain terminal control characters", "[links]") {
  world w;
  *w.factory->words = "no \x1b[2J\r\nway\x7f";
  node a{w, formed(who(1), 5)};
  a.discover({"n2:1"});
  w.run_for(1s);
  REQUIRE(a.peers().peers.size() == 1);
  CHECK(a.peers().peers[0].problem == "cannot connect: no ?[2J??way?");
}

TEST_CASE("pauses grow for an address that never answered, and end when a node there dials", "[links]") {
  world w;
  node a{w, formed(who(1), 5)};
  a.discover({"n2:1"});
  w.run_for(120s);
  const auto early = *w.factory->dials;
  CHECK(early < 16); // 50 ms doubled up to 30 s
  w.run_for(300s);
  CHECK(*w.factory->dials - early >= 300 / 30);
  CHECK(*w.factory->dials - early <= 300 / 15 + 1);
  CHECK(a.seen->up.empty());
  node b{w, formed(who(2, 7), 5)};
  b.discover({"n1:1"});
  w.run_for(1s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7});
  // They stay short for an address that has answered.
  w.factory->table->erase("n2:1");
  caf::anon_send_exit(b.endpoint, caf::exit_reason::kill);
  caf::anon_send_exit(b.links, caf::exit_reason::kill);
  w.run_for(10s);
  const auto before = *w.factory->dials;
  w.run_for(30s);
  CHECK(*w.factory->dials - before >= 30);
}

TEST_CASE("no cluster is formed while a listed node does not answer", "[links]") {
  world w;
  node x{w, who(1), {}}, y{w, who(2), {}};
  for (auto* n : {&x, &y}) n->discover({"n1:1", "n2:1", "n3:1"});
  w.run_for(5s);
  CHECK(x.seen->decisions.empty());
  CHECK(x.seen->view.unanswered == 1);
  node z{w, who(3), {}};
  z.discover({"n1:1", "n2:1", "n3:1"});
  w.run_for(5s);
  // An earlier promise may have been withdrawn, since some nodes were asked before they had seen all others.
  REQUIRE_FALSE(x.seen->decisions.empty());
  REQUIRE_FALSE(z.seen->decisions.empty());
  CHECK(x.seen->decisions.back().initial.voters.size() == 3);
  CHECK(z.seen->decisions.back().cluster == x.seen->decisions.back().cluster);
  CHECK_FALSE(z.seen->decisions.back().withdrawn);
}

TEST_CASE("the death of a peer is noticed at once, and it is linked again when it is back", "[links]") {
  world w;
  node a{w, who(1)};
  a.discover({"n2:1"});
  w.run_for(1s);
  CHECK(a.seen->up.empty());
  auto b = std::make_unique<node>(w, who(2, 7));
  w.run_for(2s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7});
  caf::anon_send_exit(b->endpoint, caf::exit_reason::kill);
  w.factory->table->erase("n2:1");
  w.sched.run();
  CHECK(a.seen->down == std::vector<node_id>{{2}});
  node again{w, who(2, 8)};
  w.run_for(2s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7, 8});
}

TEST_CASE("after a peer dies its other address is not used before it answers again", "[links]") {
  world w;
  node a{w, who(1)};
  auto b = std::make_unique<node>(w, who(2, 7));
  (*w.factory->table)["alias:1"] = b->endpoint;
  a.discover({"n2:1", "alias:1"});
  w.run_for(2s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7});
  SECTION("its process does not come back") {
    caf::anon_send_exit(b->endpoint, caf::exit_reason::kill);
    w.factory->table->clear();
    w.run_for(2s);
    CHECK(a.seen->up == std::vector<std::uint64_t>{7});
    CHECK(a.seen->down == std::vector<node_id>{{2}});
  }
  SECTION("it restarts") {
    caf::anon_send_exit(b->endpoint, caf::exit_reason::kill);
    w.sched.run();
    node again{w, who(2, 8)};
    w.factory->table->erase("n2:1");
    (*w.factory->table)["alias:1"] = again.endpoint;
    w.run_for(2s);
    CHECK(a.seen->up == std::vector<std::uint64_t>{7, 8});
  }
}

TEST_CASE("a link problem is logged once, as a warning while the node does not serve", "[links]") {
  testing::captured_log log;
  // The lines about links since the last call.
  const auto told = [&] { return log.take("no link"); };
  {
    world w;
    node a{w, who(1)};
    a.discover({"n2:1"});
    w.run_for(3s);
    const auto warning = "warning: no link to n2:1: cannot connect: refused\n";
    CHECK(told() == warning);
    // The node serves: the old problem is not logged again.
    compat::anon_send(a.links, service_state{true});
    w.run_for(3s);
    CHECK(told().empty());
    a.discover({"n2:1", "n3:1"});
    w.run_for(3s);
    CHECK(told() == "info: no link to n3:1: cannot connect: refused\n");
    // The node no longer serves, and this may be the reason.
    compat::anon_send(a.links, service_state{false});
    w.run_for(3s);
    CHECK(told() == "warning: no link to n3:1: cannot connect: refused\n");
    // The live trace shows every attempt.
    trace::turn_on("links");
    w.run_for(31s);
    const auto attempts = log.take("trace: links: node 0000000000000001: \"n3:1\" was ");
    CHECK_THAT(attempts, Catch::Contains(" is down: \"cannot connect: refused\"\n"));
    trace::turn_on("");
  }
}

TEST_CASE("a silent endpoint on a live connection is noticed in time, disconnected, and dialed again", "[links]") {
  world w;
  node a{w, who(1)};
  const auto speaks = std::make_shared<bool>(true);
  (*w.factory->table)["n2:1"] =
      w.keep(caf::actor_cast<endpoint_handle>(w.system.spawn<moody_endpoint>(who(2, 7), speaks)));
  a.discover({"n2:1"});
  w.run_for(5s);
  CHECK(a.seen->up.size() == 1);
  CHECK(*w.factory->hung_up == 0);
  *speaks = false;
  w.run_for(1400ms); // one late answer is tolerated
  *speaks = true;
  w.run_for(5s);
  CHECK(a.seen->down.empty());
  *speaks = false;
  w.run_for(3600ms);
  CHECK(a.seen->down == std::vector<node_id>{{2}});
  CHECK(*w.factory->hung_up == 1);
  w.run_for(5s);
  CHECK(*w.factory->hung_up == 1); // there is no further connection to cut
  *speaks = true;
  w.run_for(3s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7, 7});
}

TEST_CASE("a node with two addresses is one peer, and the own address is not a peer", "[links]") {
  world w;
  node a{w, who(1)}, b{w, who(2)};
  (*w.factory->table)["alias:1"] = b.endpoint;
  (*w.factory->table)["me:1"] = a.endpoint;
  a.discover({"alias:1", "me:1", "n2:1"});
  w.run_for(1s);
  CHECK(a.seen->up.size() == 1);
  CHECK(a.seen->view.listed == 2);
  CHECK(a.seen->view.unanswered == 0);
  const auto list = a.peers().peers;
  REQUIRE(list.size() == 3);
  CHECK(std::count_if(list.begin(), list.end(), [](const auto& p) { return p.up; }) == 1);
  CHECK(std::count_if(list.begin(), list.end(), [](const auto& p) { return p.self; }) == 1);
}

TEST_CASE("two nodes find each other if only one of them lists the other", "[links]") {
  world w;
  node a{w, who(1)}, b{w, who(2)};
  a.discover({"n2:1"});
  w.run_for(1s);
  CHECK(a.seen->up.size() == 1);
  CHECK(b.seen->up.size() == 1);
  CHECK_FALSE(b.seen->view.discovered);
  // The address disappears from discovery, but a working link is kept.
  a.discover({});
  w.run_for(1s);
  CHECK(a.seen->down.empty());
}

TEST_CASE("nodes of different clusters do not link", "[links]") {
  world w;
  node a{w, formed(who(1), 5)}, b{w, formed(who(2), 6)};
  a.discover({"n2:1"});
  w.run_for(2s);
  CHECK(a.seen->up.empty());
  CHECK(b.seen->up.empty());
  CHECK(a.peers().peers.at(0).problem.find("belongs to cluster") != std::string::npos);
}

TEST_CASE("a copied data directory gets no link as long as the original has it", "[links]") {
  world w;
  node a{w, who(1)}, b{w, who(2, 7)}, copy{w, who(2, 9, "copy:1")};
  a.discover({"n2:1"});
  w.run_for(1s);
  a.discover({"n2:1", "copy:1"});
  copy.discover({"n1:1", "n2:1"});
  w.run_for(3s);
  CHECK(a.seen->up == std::vector<std::uint64_t>{7});
  CHECK(a.seen->down.empty());
  CHECK(copy.peers().peers.at(1).problem.find("copy") != std::string::npos);
  // The original ends, so the copy is accepted.
  w.factory->table->erase("n2:1");
  caf::anon_send_exit(b.endpoint, caf::exit_reason::kill);
  w.run_for(3s);
  CHECK(a.seen->down == std::vector<node_id>{{2}});
  CHECK(a.seen->up == std::vector<std::uint64_t>{7, 9});
}

TEST_CASE("raft messages reach only the role or the replicator that they are for", "[endpoint]") {
  world w;
  node a{w, formed(who(1), 5)};
  auto log = std::make_shared<records>();
  const auto role = w.record_as<role_handle>(log, "role");
  const auto next = w.record_as<role_handle>(log, "next");
  const auto replicator = w.record_as<replicator_handle>(log, "replicator");
  const auto send = [&](auto message) {
    compat::anon_send(a.endpoint, std::move(message));
    w.sched.run();
    return std::exchange(log->routed, {});
  };
  using strings = std::vector<std::string>;
  const raft::header good{{5}, {2}, {1}, 3};
  w.sched.run();
  CHECK(send(raft::vote_request{good, 0, 0, false}).empty()); // no role yet
  role_changed first;
  first.epoch = 1;
  first.term = 3;
  first.role = role;
  send(first);
  CHECK(send(raft::vote_request{good, 0, 0, false}) == strings{"role vote_request"});
  CHECK(send(raft::vote_request{{{6}, {2}, {1}, 3}, 0, 0, false}).empty());
  CHECK(send(raft::vote_request{{{5}, {2}, {9}, 3}, 0, 0, false}).empty());

  const auto response = [&](term_t term, std::uint64_t from) {
    raft::append_response r;
    r.head = {{5}, {from}, {1}, term};
    return r;
  };
  CHECK(send(response(3, 2)).empty());
  send(replicator_started{3, {2}, replicator});
  CHECK(send(response(3, 2)) == strings{"replicator append_response"});
  CHECK(send(response(3, 4)).empty());
  CHECK(send(response(2, 2)).empty());
  CHECK(send(response(4, 2)) == strings{"role append_response"});

  role_changed second = first;
  second.epoch = 2;
  second.term = 4;
  second.role = next;
  second.retiring = 1;
  second.previous = role;
  send(second);
  CHECK(log->drains == std::vector<epoch_t>{1});
  CHECK(send(response(3, 2)).empty());
  CHECK(send(raft::vote_request{good, 0, 0, false}) == strings{"next vote_request"});
}

TEST_CASE("commands go to the proxy, and outgoing raft messages to the peer in their header", "[endpoint]") {
  world w;
  node a{w, formed(who(1), 5)}, b{w, formed(who(2), 5)};
  a.discover({"n2:1"});
  compat::anon_send(a.endpoint, command_batch{});
  role_changed role;
  role.epoch = 1;
  role.role = caf::actor_cast<role_handle>(b.rest);
  compat::anon_send(b.endpoint, role);
  w.run_for(1s);
  CHECK(a.seen->routed == std::vector<std::string>{"rest command_batch"});
  outbound out;
  out.messages.emplace_back(raft::vote_request{{{5}, {1}, {2}, 1}, 0, 0, false});
  out.messages.emplace_back(raft::vote_request{{{5}, {1}, {3}, 1}, 0, 0, false});
  compat::anon_send(a.links, out);
  w.sched.run();
  CHECK(b.seen->routed == std::vector<std::string>{"rest vote_request"});
}

TEST_CASE("a welcome names the leader and its address", "[endpoint]") {
  world w;
  node a{w, formed(who(1), 5)}, b{w, formed(who(2, 1, "moved:1"), 5)};
  a.discover({"moved:1"});
  compat::anon_send(a.links, members_changed{{{{1}, "n1:1"}, {{2}, "n2:1"}}});
  compat::anon_send(a.endpoint, leader_known{1, {2}});
  w.run_for(1s);
  test::send_as(a.rest, a.endpoint, client_hello{});
  w.sched.run();
  REQUIRE(a.seen->welcome);
  CHECK(a.seen->welcome->refusal.empty());
  CHECK(a.seen->welcome->leader == node_id{2});
  CHECK(a.seen->welcome->leader_address == "moved:1");
  CHECK(a.seen->welcome->members.size() == 2);
}

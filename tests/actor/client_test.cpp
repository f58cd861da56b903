#include "runtime/client_access.hpp"
#include "tests/actor/send_as.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <troupe/client.hpp>
#include <troupe/services/map.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// The node at an address, and the requests to it.
struct node_record {
  client_welcome welcome;
  bool reachable = true;
  bool silent = false;
  std::size_t dials = 0;
  std::vector<command> commands;
  caf::strong_actor_ptr origin;
  caf::actor endpoint;
};
class fake_node : public compat::untyped_base {
 public:
  fake_node(caf::actor_config& config, std::shared_ptr<node_record> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const client_hello&) {
          auto promise = make_response_promise<client_welcome>();
          if (record_->silent)
            unanswered_.push_back(promise); // CAF 1.x answers for a promise that is dropped
          else
            promise.deliver(record_->welcome);
          return promise;
        },
        [this](const command_batch& m) {
          record_->origin = current_sender();
          record_->commands.insert(record_->commands.end(), m.commands.begin(), m.commands.end());
        },
    };
  }

 private:
  std::shared_ptr<node_record> record_;
  std::vector<caf::typed_response_promise<client_welcome>> unanswered_;
};
class fake_connector : public compat::untyped_base {
 public:
  fake_connector(caf::actor_config& config, std::shared_ptr<node_record> record)
      : compat::untyped_base(config), record_(std::move(record)) {}
  caf::behavior make_behavior() override {
    return {[](const disconnect&) {},
            [this](const dial&) -> caf::result<dialed> {
              ++record_->dials;
              if (!record_->reachable) return caf::make_error(caf::sec::cannot_connect_to_node);
              if (!record_->endpoint) record_->endpoint = home_system().spawn<fake_node>(record_);
              return dialed{caf::actor_cast<endpoint_handle>(record_->endpoint)};
            }};
  }

 private:
  std::shared_ptr<node_record> record_;
};
struct fake_network : link_factory {
  connector_handle make_connector(caf::actor_system& system, const std::string& address) override {
    return caf::actor_cast<connector_handle>(system.spawn<fake_connector>(nodes.at(address)));
  }
  std::map<std::string, std::shared_ptr<node_record>> nodes;
};

/// Nodes a:1, b:1 and c:1 of one cluster, led by b, and d:1 of another.
struct world : virtual_system {
  world() {
    for (std::uint64_t id = 1; id <= 4; ++id) {
      auto& node = network->nodes[std::string(1, static_cast<char>('a' + id - 1)) + ":1"] =
          std::make_shared<node_record>();
      node->welcome.node = node_id{id};
      node->welcome.cluster = cluster_id{id <= 3 ? 7u : 8u};
    }
  }
  ~world() {
    subject.reset();
    fronts.clear();
    settle();
    for (auto& [address, node] : network->nodes) cut(address);
    advance(11s); // the timeouts of requests keep actors alive
  }
  void start(std::vector<std::string> addresses) {
    client_options options;
    options.endpoints = std::move(addresses);
    subject.emplace(client_access::spawn(system, options, network));
    advance(10ms);
  }
  node_record& at(const std::string& address) { return *network->nodes.at(address); }
  /// Breaks the connection. `reachable` decides whether a new one can be made.
  void cut(const std::string& address) {
    auto& node = at(address);
    node.origin = nullptr;
    if (node.endpoint) caf::anon_send_exit(node.endpoint, caf::exit_reason::kill);
    node.endpoint = nullptr;
    settle();
  }
  void put(std::function<void(std::optional<error_info>)> done = [](const auto&) {}) {
    auto map = subject->service<map_service>();
    system.spawn<errand>([=](caf::event_based_actor* self) {
      self->request(map, caf::infinite, map::put{"m", "k", value::of(1)})
          .then([=](const map::put_result&) { done(std::nullopt); }, [=](const caf::error& e) { done(describe(e)); });
    });
    settle();
  }
  void answer(const std::string& address, node_id leader) {
    auto& node = at(address);
    outcome_batch batch;
    batch.leader = leader;
    for (const auto& c : std::exchange(node.commands, {}))
      batch.outcomes.push_back({c.number, errc::none, 3, msgpack_serializer::encode(map::put_result{3})});
    test::send_as(node.endpoint, caf::actor_cast<caf::actor>(node.origin), batch);
    settle();
  }

  std::shared_ptr<fake_network> network = std::make_shared<fake_network>();
  std::optional<client> subject;
  std::vector<caf::actor> fronts;
};

} // namespace

TEST_CASE("a client's typed request reaches a node and its result comes back") {
  world w;
  w.start({"a:1"});
  int done = 0;
  w.put([&](const auto& error) { done += error ? -1 : 1; });
  REQUIRE(w.at("a:1").commands.size() == 1);
  w.answer("a:1", {});
  CHECK(done == 1);
}

TEST_CASE("requests wait for the first connection") {
  world w;
  w.at("a:1").reachable = false;
  w.start({"a:1"});
  w.put();
  w.at("a:1").reachable = true;
  w.advance(1500ms);
  CHECK(w.at("a:1").commands.size() == 1);
}

TEST_CASE("requests go to the leader named in a welcome, even if it was not a given address") {
  world w;
  w.at("a:1").welcome.leader = node_id{2};
  w.at("a:1").welcome.members = {{node_id{1}, "a:1"}, {node_id{2}, "b:1"}, {node_id{3}, "c:1"}};
  w.start({"a:1"});
  CHECK(w.at("b:1").dials == 1);
  CHECK(w.at("c:1").dials == 1);
  w.put();
  CHECK(w.at("b:1").commands.size() == 1);
}

TEST_CASE("requests go to the leader named in an answer") {
  world w;
  w.start({"a:1", "b:1"});
  w.put();
  REQUIRE(w.at("a:1").commands.size() == 1);
  w.answer("a:1", node_id{2});
  w.put();
  CHECK(w.at("b:1").commands.size() == 1);
}

TEST_CASE("after a lost connection its requests are unknown, the next goes to another node, and it is redialed") {
  world w;
  w.start({"a:1", "b:1"});
  std::optional<error_info> got;
  w.put([&](const auto& error) { got = error; });
  w.cut("a:1");
  REQUIRE(got);
  CHECK(got->code == errc::outcome_unknown);
  // The other node may not have noticed yet, and would lose what it forwards to the first one.
  w.put();
  CHECK(w.at("b:1").commands.empty());
  w.advance(220ms);
  CHECK(w.at("b:1").commands.size() == 1);
  w.cut("b:1");
  w.advance(2s);
  CHECK(w.at("a:1").dials == 2);
  w.put();
  CHECK(w.at("a:1").commands.size() + w.at("b:1").commands.size() >= 2);
}

TEST_CASE("a client needs valid addresses") {
  world w;
  CHECK_THROWS_AS(client_access::spawn(w.system, {}, w.network), startup_error);
  for (const auto* wrong : {"", "host", "host:", "host:0", "host:70000", ":1", "host:1:2"}) {
    client_options options;
    options.endpoints = {"127.0.0.1:1", wrong};
    CHECK_THROWS_AS(spawn_client(w.system, options), startup_error);
  }
}

TEST_CASE("a request that finds no node fails with the latest problem") {
  world w;
  w.at("a:1").reachable = false;
  w.at("b:1").welcome.refusal = "no entry";
  std::optional<error_info> got;
  SECTION("cannot be reached") {
    w.start({"a:1"});
    w.put([&](const auto& error) { got = error; });
    w.advance(6s);
    REQUIRE(got);
    CHECK_THAT(got->message, Catch::Contains("a:1: \"cannot connect"));
  }
  SECTION("refuses the client") {
    w.start({"b:1"});
    w.put([&](const auto& error) { got = error; });
    w.advance(6s);
    REQUIRE(got);
    CHECK_THAT(got->message, Catch::Contains("b:1: \"refused: no entry"));
  }
  SECTION("was reachable before") {
    w.at("a:1").reachable = true;
    w.at("a:1").welcome.leader = node_id{1};
    w.start({"a:1"});
    w.at("a:1").reachable = false;
    w.cut("a:1");
    w.put([&](const auto& error) { got = error; });
    w.advance(6s);
    REQUIRE(got);
    CHECK_THAT(got->message, Catch::Contains("a:1: \"cannot connect"));
  }
  CHECK(got->code == errc::no_leader);
}

TEST_CASE("when a client ends, unsent requests are rejected, and the others are unknown") {
  world w;
  std::optional<error_info> got;
  SECTION("no node got it") {
    w.at("a:1").reachable = false;
    w.start({"a:1"});
    w.put([&](const auto& error) { got = error; });
    w.subject.reset();
    w.settle();
    REQUIRE(got);
    CHECK(got->code == errc::stopping);
  }
  SECTION("a node got it") {
    w.start({"a:1"});
    w.put([&](const auto& error) { got = error; });
    w.subject.reset();
    w.settle();
    REQUIRE(got);
    CHECK(got->code == errc::outcome_unknown);
  }
}

TEST_CASE("when a client's links fail, its requests fail before their deadlines") {
  world w;
  w.start({"no connector can be made for this:1"});
  std::optional<error_info> got;
  w.put([&](const auto& error) { got = error; });
  REQUIRE(got);
  CHECK(got->code == errc::stopping);
}

TEST_CASE("stop sends the requests that a front still holds") {
  world w;
  w.start({"a:1"});
  int done = 0;
  auto map = w.subject->service<map_service>();
  w.settle();
  w.system.spawn<errand>([&, map](caf::event_based_actor* self) {
    self->request(map, caf::infinite, map::put{"m", "k", value::of(1)})
        .then([&](const map::put_result&) { ++done; }, [&](const caf::error&) { --done; });
  });
  std::thread stopper{[&] { w.subject->stop(); }};
  // The errand's job, and the one of the stopping thread.
  while (w.jobs() < 2) std::this_thread::yield();
  w.settle();
  REQUIRE(w.at("a:1").commands.size() == 1);
  w.answer("a:1", {});
  stopper.join();
  CHECK(done == 1);
}

TEST_CASE("a node that falls silent is considered lost") {
  world w;
  w.start({"a:1"});
  w.at("a:1").silent = true;
  std::optional<error_info> got;
  w.advance(4s);
  w.put([&](const auto& error) { got = error; });
  w.advance(2s);
  REQUIRE(got);
  CHECK(got->code == errc::outcome_unknown);
}

TEST_CASE("a node of another cluster, or of none, is not used") {
  world w;
  SECTION("of another") { w.start({"a:1", "d:1"}); }
  SECTION("of none") {
    w.at("d:1").welcome.cluster = {};
    w.start({"d:1", "a:1"});
  }
  w.cut("a:1");
  w.at("a:1").reachable = false;
  w.put();
  w.advance(1s);
  CHECK(w.at("d:1").commands.empty());
}

TEST_CASE("a node that refuses is dialed again with pauses") {
  world w;
  w.at("a:1").welcome.refusal = "no";
  w.start({"a:1"});
  w.advance(10s);
  CHECK(w.at("a:1").dials >= 10);
  CHECK(w.at("a:1").dials <= 30);
}

TEST_CASE("stop waits for requests in flight") {
  world w;
  w.start({"a:1"});
  int done = 0;
  w.put([&](const auto& error) { done += error ? -1 : 1; });
  std::thread stopper{[&] { w.subject->stop(); }};
  // The stopping thread sends one message, and this thread is the system's only worker.
  while (!w.has_jobs()) std::this_thread::yield();
  w.settle();
  std::optional<error_info> late;
  w.put([&](const auto& error) { late = error; });
  REQUIRE(late);
  CHECK(late->code == errc::stopping);
  w.answer("a:1", {});
  stopper.join();
  CHECK(done == 1);
}

// Discovery actors around blocking methods: what they report, and how they end.
#include "discovery/pause.hpp"
#include "runtime/discovery_sources.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <troupe/config.hpp>
#include <troupe/discovery.hpp>
#include <troupe/node.hpp>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

using addresses = std::vector<std::string>;

/// A method that the test controls.
struct told_method : blocking_method {
  std::mutex mutex;
  std::condition_variable_any changed;
  method_listener* to = nullptr;
  std::atomic<int> runs = 0;
  std::atomic<int> ends = 0;
  bool fail = false;

  void run(const std::stop_token& stop, method_listener& listener) override {
    std::unique_lock lock{mutex};
    to = &listener;
    ++runs;
    changed.notify_all();
    changed.wait(lock, stop, [this] { return fail; });
    to = nullptr;
    ++ends;
    changed.notify_all();
    if (std::exchange(fail, false)) throw std::runtime_error("out of luck");
  }
  void say(const addresses& view) {
    std::unique_lock lock{mutex};
    REQUIRE(changed.wait_for(lock, 10s, [this] { return to != nullptr; }));
    to->found(view);
  }
  void break_down() {
    const std::lock_guard lock{mutex};
    fail = true;
    changed.notify_all();
  }
  bool runs_again(int times) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 10s, [&] { return runs >= times; });
  }
};

/// The next message to the scoped actor; empty if none arrives within `patience`.
std::optional<peers_changed> next(caf::scoped_actor& self, std::chrono::milliseconds patience = 10s) {
  std::optional<peers_changed> got;
  self->receive([&](const peers_changed& m) { got = m; }, caf::after(patience) >> [] {});
  return got;
}

} // namespace

TEST_CASE("a method's view is reported sorted, when it changes and on request", "[discovery]") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto method = std::make_shared<told_method>();
  blocking_source source{"told", method};
  const auto loop = source.spawn(system, caf::actor_cast<peers_listener>(self));
  self->send(loop, report_peers{}); // no view is known yet, so none is sent
  method->say({"b:1", "a:1", "b:1"});
  auto got = next(self);
  REQUIRE(got);
  CHECK(got->source == "told");
  CHECK(got->addresses == addresses{"a:1", "b:1"});
  method->say({"a:1", "b:1"}); // unchanged
  method->say({});
  got = next(self);
  REQUIRE(got);
  CHECK(got->addresses.empty());
  self->send(loop, report_peers{});
  got = next(self);
  REQUIRE(got);
  CHECK(got->addresses.empty());
  self->send_exit(loop, caf::exit_reason::user_shutdown);
}

TEST_CASE("a source of a blocking method can be started once", "[discovery]") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  blocking_source source{"told", std::make_shared<told_method>()};
  const auto loop = source.spawn(system, caf::actor_cast<peers_listener>(self));
  CHECK_THROWS_AS(source.spawn(system, caf::actor_cast<peers_listener>(self)), std::logic_error);
  self->send_exit(loop, caf::exit_reason::user_shutdown);
}

TEST_CASE("a method that throws is run again, and its last view is kept", "[discovery]") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto method = std::make_shared<told_method>();
  blocking_source source{"told", method};
  const auto loop = source.spawn(system, caf::actor_cast<peers_listener>(self));
  method->say({"a:1"});
  CHECK(next(self));
  method->break_down();
  CHECK(method->runs_again(2));
  self->send(loop, report_peers{});
  const auto kept = next(self);
  REQUIRE(kept);
  CHECK(kept->addresses == addresses{"a:1"});
  method->say({"c:1"});
  const auto fresh = next(self);
  REQUIRE(fresh);
  CHECK(fresh->addresses == addresses{"c:1"});
  self->send_exit(loop, caf::exit_reason::user_shutdown);
}

TEST_CASE("the actor system ends as soon as the method has ended", "[discovery]") {
  const auto method = std::make_shared<told_method>();
  {
    troupe::config config;
    caf::actor_system system{config};
    caf::scoped_actor self{system};
    blocking_source source{"told", method};
    const auto loop = source.spawn(system, caf::actor_cast<peers_listener>(self));
    CHECK(method->runs_again(1));
    self->monitor(loop);
    self->send_exit(loop, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {});
  }
  CHECK(method->ends == 1);
  CHECK(method.use_count() == 1);
}

TEST_CASE("a method that announces its node gets the node's identity and its changes", "[discovery]") {
  troupe::config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  std::promise<std::uint64_t> first, second;
  std::atomic<int> told = 0;
  const auto method = std::make_shared<told_method>();
  blocking_source source{"told", method,
                         [&](const node_identity& who) { (told++ == 0 ? first : second).set_value(who.incarnation); }};
  const auto loop = source.spawn(system, caf::actor_cast<peers_listener>(self));
  self->receive([&](const watch_identity& m) {
    node_identity identity;
    identity.incarnation = 1;
    self->send(m.watcher, identity);
    identity.incarnation = 2;
    self->send(m.watcher, identity);
  });
  CHECK(first.get_future().get() == 1);
  CHECK(second.get_future().get() == 2);
  self->send_exit(loop, caf::exit_reason::user_shutdown);
}

TEST_CASE("what a node expects by default depends on whether addresses are listed", "[discovery]") {
  const auto expected = [](const std::string& spec, const peer_sources& own = {}) {
    return expect_by_default(parse_discovery(spec), own);
  };
  CHECK(expected("").rule == 1U);
  CHECK(expected("static:a:1,b:1").rule == std::nullopt);
  CHECK(expected("static:a:1,b:1").members == 2);
  const peer_sources own{std::make_shared<blocking_source>("own", std::make_shared<told_method>())};
  for (const auto& rule :
       {expected("dns:a:1").rule, expected("mdns:").rule, expected("k8s:service=a").rule,
        expected("static:a:1;dns:a:1").rule, expected("", own).rule, expected("static:a:1", own).rule})
    CHECK(rule == 0U);
}

TEST_CASE("dead members are removed by default where machines come and go by themselves", "[discovery]") {
  const auto removes = [](const std::string& spec) { return removes_by_default(parse_discovery(spec)); };
  for (const auto* spec : {"", "static:a:1", "dns:a:1", "static:a:1;dns:a:1"}) CHECK_FALSE(removes(spec));
  for (const auto* spec : {"mdns:", "k8s:service=a", "static:a:1;mdns:", "k8s:selector=a;dns:a:1"})
    CHECK(removes(spec));
}

TEST_CASE("a node accepts sources of its user, which must have distinct names", "[discovery]") {
  test::temporary_folder folder;
  troupe::config config;
  caf::actor_system system{config};
  node_options options;
  options.data_dir = folder.path() / "n";
  options.raft_port = net::testing::free_port();
  const auto method = std::make_shared<told_method>();
  options.discovery = "static:127.0.0.1:" + std::to_string(options.raft_port);
  options.sources = {std::make_shared<blocking_source>("static", std::make_shared<told_method>())};
  CHECK_THROWS_WITH(start_node(system, options, {}), "two discovery sources have the name static");
  options.sources = {std::make_shared<blocking_source>("own", method)};
  {
    auto node = start_node(system, options, {});
    CHECK(method->runs_again(1));
    options.sources.clear();
  }
  std::unique_lock lock{method->mutex};
  CHECK(method->changed.wait_for(lock, 10s, [&] { return method->to == nullptr; }));
}

// A node that is not ready reports a reason that leads to the cause.
#include "actors/cluster/formation_actor.hpp"
#include "actors/cluster/links.hpp"
#include "actors/frontend/proxy.hpp"
#include "runtime/node_actor.hpp"
#include "runtime/transport/transport_links.hpp"
#include "tests/actor/cluster_steps.hpp"
#include "tests/actor/silent_actor.hpp"
#include "tests/unit/transport/certificates.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <thread>
#include <troupe/config.hpp>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

transport_settings settings_with(const net::tls_files& files) {
  transport_settings settings;
  settings.tls = tls_settings{files.cert, files.key, files.ca, net::testing::cluster_name, {}};
  return settings;
}

/// A node without a cluster, whose list has one address.
class lonely_node {
 public:
  lonely_node(caf::actor_system& system, const transport_settings& settings, std::string address)
      : self_(system), address_(std::move(address)) {
    hello who;
    who.node = {1};
    who.incarnation = 1;
    who.address = "127.0.0.1:1";
    const auto rest = self_->spawn<test::silent_actor>(caf::behavior{[](const get_formation&) {
      return formation_status{{}, {}, "waits for 2 of 3 nodes"};
    }});
    const auto factory = std::make_shared<transport_links>(make_transport(system, settings));
    const links_handle links = self_->spawn<troupe::links>(who, factory, std::uint64_t{1});
    node_setup setup;
    setup.id = who.node;
    node_ = self_->spawn<node_actor>(std::move(setup));
    self_->send(node_,
                node_actors{caf::actor_cast<endpoint_handle>(rest), links, self_->spawn<proxy>(proxy_options{}),
                            caf::actor_cast<formation_handle>(rest), caf::actor_cast<health_monitor_handle>(rest)});
    self_->send(links, peers_changed{"static", {address_}});
  }
  ~lonely_node() {
    self_->monitor(node_);
    self_->send(node_, stop_node{});
    self_->receive([](const caf::down_msg&) {});
  }
  /// The reason that the node reports once it has a problem with the address.
  std::string not_ready() {
    std::string said;
    for (int i = 0; i < 1000 && said.find(address_) == std::string::npos; ++i) {
      self_->request(node_, std::chrono::seconds{10}, get_status{})
          .receive([&](const node_status& now) { said = now.not_ready; },
                   [&](const caf::error& e) { said = to_text(self_->system(), e); });
      std::this_thread::sleep_for(std::chrono::milliseconds{10}); // nap: no notification of a new status
    }
    return said;
  }

 private:
  caf::scoped_actor self_;
  std::string address_;
  node_actor_handle node_;
};

} // namespace

TEST_CASE("without a majority a node reports how many voters answer and how many are needed") {
  cluster_world w{1};
  const auto survivor = elected(w);
  REQUIRE(w.run_until([&] { return caught_up(w, survivor); }));
  const auto members = w.status(survivor)->members;
  const auto voters = std::count_if(members.begin(), members.end(), [](const auto& m) { return m.voter; });
  REQUIRE(voters >= 3);
  for (const auto id : cluster_world::ids())
    if (id != survivor) w.kill(id);
  const auto said = [&] {
    const auto now = w.status(survivor);
    return now ? now->not_ready : std::string{};
  };
  const auto expected = "no leader is known: 1 of " + std::to_string(voters) + " voters answers, " +
                        std::to_string(voters / 2 + 1) + " needed";
  w.run_until([&] { return said().find(expected) != std::string::npos; });
  CHECK_THAT(said(), Contains(expected));
}

TEST_CASE("a node without a cluster reports what formation waits for, and why addresses do not answer") {
  const net::testing::temporary_folder folder;
  const net::testing::authority ours{folder, "ours"}, theirs{folder, "theirs"};
  troupe::config config;
  caf::actor_system system{config};
  const auto listening = [&](const transport_settings& settings) {
    net::transport_options options;
    if (settings.tls)
      options.files.tls =
          net::tls_options{{settings.tls->cert, settings.tls->key, settings.tls->ca}, settings.tls->cluster_name, {}};
    return std::make_unique<net::transport>(options);
  };
  const auto words = [&](const transport_settings& here, const transport_settings& there) {
    const auto other = listening(there);
    const auto address = "127.0.0.1:" + std::to_string(other->listen("127.0.0.1", 0));
    other->accept([](net::open_connection) {});
    const auto said = lonely_node{system, here, address}.not_ready();
    CHECK_THAT(said, Catch::StartsWith("not part of a cluster yet: waits for 2 of 3 nodes; " + address + ": \""));
    return said;
  };
  CHECK_THAT(words(settings_with(ours.issue("a")), settings_with(theirs.issue("b"))), Contains("certificate"));
  CHECK_THAT(words({}, settings_with(theirs.issue("c"))), Contains("requires TLS"));
  CHECK_THAT(words(settings_with(ours.issue("d")), {}), Contains("TLS"));
  CHECK_THAT(lonely_node(system, {}, "127.0.0.1:1").not_ready(),
             Contains("127.0.0.1:1: \"cannot connect: Connection refused\""));
  // A label of this length is invalid, so no name server is asked.
  const std::string nowhere = std::string(64, 'n') + ".invalid";
  CHECK_THAT(lonely_node(system, {}, nowhere + ":1").not_ready(), Contains("cannot resolve " + nowhere));
}

#include "runtime/transport/node_id_registry.hpp"
#include "runtime/transport/system_network.hpp"
#include "tests/unit/transport/connected_pair.hpp"

#include <catch2/catch.hpp>

using namespace troupe::net;
using namespace troupe::net::testing;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<connection_liveness> some_liveness() { return std::make_shared<connection_liveness>(-1, "10.0.0.1"); }

/// An open connection.
struct connection {
  connected_pair sockets;
  std::shared_ptr<connection_liveness> liveness =
      std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1");
};

constexpr auto granted = claim_outcome::granted;
constexpr auto taken = claim_outcome::taken;
constexpr auto too_many = claim_outcome::too_many_nodes;

} // namespace

TEST_CASE("a node id belongs to the first connection that claims it, until that ends") {
  node_id_registry registry{100, 1s};
  const connection one, two, three;
  const steady_time now{1h};
  CHECK(registry.claim("a", one.liveness, now) == granted);
  CHECK(registry.claim("a", one.liveness, now) == granted);
  CHECK(registry.claim("a", two.liveness, now) == taken);
  CHECK(registry.claim("b", two.liveness, now) == granted);
  registry.release(three.liveness); // this connection holds no node id
  CHECK(registry.claim("a", two.liveness, now) == taken);
  registry.release(one.liveness);
  CHECK(registry.claim("a", two.liveness, now) == granted);
  two.liveness->end(); // not released yet
  CHECK(registry.claim("a", three.liveness, now) == granted);
  CHECK(registry.claim("b", one.liveness, now) == granted);
}

TEST_CASE("a user of an existing connection applies its silence limit if it is stricter") {
  node_id_registry registry{100, 1s};
  const connected_pair sockets;
  const auto liveness = [&](std::chrono::milliseconds limit) {
    return std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1", limit);
  };
  const auto first = liveness(900ms);
  CHECK(registry.claim("a", first, steady_time{1h}) == granted);
  CHECK(registry.claim("a", liveness(5s), steady_time{1h}) == taken);
  CHECK(first->silence_limit() == 900ms);
  CHECK(registry.claim("a", liveness(300ms), steady_time{1h}) == taken);
  CHECK(first->silence_limit() == 300ms);
}

TEST_CASE("a node that is connected in one realm cannot be claimed in another until its connection is unused") {
  node_id_registry registry{100, 1s};
  auto ours = std::make_shared<const realm>();
  const auto theirs = std::make_shared<const realm>();
  const connected_pair sockets;
  const auto liveness = [&](const std::shared_ptr<const realm>& of) {
    return std::make_shared<connection_liveness>(sockets.dialed.get(), "10.0.0.1", 900ms, of);
  };
  const auto first = liveness(ours);
  CHECK(registry.claim("a", first, steady_time{1h}) == granted);
  CHECK(registry.claim("a", liveness(ours), steady_time{1h}) == taken);
  CHECK(registry.claim("a", liveness(theirs), steady_time{1h}) == claim_outcome::other_realm);
  CHECK_FALSE(first->is_orphaned());
  char byte;
  CHECK(::recv(sockets.accepted.get(), &byte, 1, MSG_DONTWAIT) < 0);
  ours.reset();
  CHECK(first->is_orphaned());
  CHECK(registry.claim("a", liveness(theirs), steady_time{1h}) == claim_outcome::other_realm);
  CHECK(::recv(sockets.accepted.get(), &byte, 1, 0) == 0); // it was cut
  first->end();
  CHECK(registry.claim("a", liveness(theirs), steady_time{1h}) == granted);
}

TEST_CASE("the connection of a node can be cut") {
  node_id_registry registry{100, 1s};
  const connection one;
  CHECK_FALSE(registry.cut("a"));
  registry.claim("a", one.liveness, steady_time{1h});
  CHECK(registry.cut("a"));
  char byte;
  CHECK(::recv(one.sockets.accepted.get(), &byte, 1, 0) == 0);
}

TEST_CASE("admits a number of new nodes, then one per interval; known ones return at any time") {
  node_id_registry registry{3, 1s};
  auto now = steady_time{1h};
  int drawn = 0;
  const auto try_new = [&] {
    const auto liveness = some_liveness();
    const auto outcome = registry.claim("new " + std::to_string(++drawn), liveness, now);
    registry.release(liveness);
    return outcome;
  };
  for (int i = 0; i < 3; ++i) CHECK(try_new() == granted);
  CHECK(try_new() == too_many);
  CHECK(registry.claim("new 2", some_liveness(), now) == granted);
  now += 999ms;
  CHECK(try_new() == too_many);
  now += 1ms;
  CHECK(try_new() == granted);
  CHECK(try_new() == too_many);
  now += 2500ms;
  CHECK(try_new() == granted);
  CHECK(try_new() == granted);
  CHECK(try_new() == too_many);
  now += 500ms; // the rest of the interval counts
  CHECK(try_new() == granted);
  now += 1h; // but the number does not grow beyond the limit
  for (int i = 0; i < 3; ++i) CHECK(try_new() == granted);
  CHECK(try_new() == too_many);
}

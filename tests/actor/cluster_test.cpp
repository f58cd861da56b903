// Whole nodes of real actors, in virtual time.
#include "tests/actor/cluster_world.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {


node_id elected(cluster_world& w) {
  REQUIRE(w.run_until([&] { return w.leader().has_value(); }));
  return *w.leader();
}

/// Everything is healed, has come to rest, and is as it must be.
void conclude(cluster_world& w) {
  const auto rests = w.run_until([&] { return w.all_equal(); }, 20s);
  w.run(6s);
  w.judge();
  INFO(w.trace());
  CHECK(rests);
  CHECK(w.problems() == std::vector<std::string>{});
  CHECK(w.close() == 0);
}

} // namespace

TEST_CASE("a cluster elects a leader; every node's front writes and reads") {
  cluster_world w{1};
  const auto leader = elected(w);
  for (const auto id : w.ids()) w.put(id, "k" + std::to_string(id.value));
  w.run(100ms);
  for (std::size_t i = 0; i < 3; ++i) CHECK(w.call(i).ok());
  for (const auto at : w.ids())
    for (const auto key : w.ids()) w.get(at, "k" + std::to_string(key.value));
  w.run(100ms);
  for (std::size_t i = 3; i < 12; ++i) {
    REQUIRE(w.call(i).ok());
    CHECK(w.call(i).answered->revision == w.call((i - 3) % 3).answered->revision);
  }
  for (const auto id : w.ids()) {
    const auto s = w.status(id);
    REQUIRE(s);
    CHECK(s->ready);
    CHECK(s->role->leader == leader);
    CHECK(w.applied(id) == 3);
  }
  conclude(w);
}

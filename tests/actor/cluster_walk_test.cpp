// Clusters under random faults. TROUPE_SEED: run only this seed. TROUPE_LONG=1: run many seeds.
#include "tests/actor/cluster_world.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

using namespace troupe;
using namespace troupe::test;

namespace {

struct tally {
  std::map<outcome, std::size_t> puts;
  std::size_t reads = 0;
  std::size_t leaders = 0;
  std::size_t kills = 0;
  std::size_t in_flight = 0;
};

class walk {
 public:
  explicit walk(std::uint64_t seed) : w_(seed, {5, 5, 3ms}) {}

  void go(std::chrono::milliseconds time) {
    for (; time.count() > 0; --time) {
      if (w_.pick(15) == 0) ask();
      if (w_.pick(250) == 0) strike();
      w_.run(1ms);
    }
  }

  void recover() {
    w_.net().heal();
    w_.net().set({});
    for (const auto id : w_.ids()) {
      w_.pace_disk(id, any_pace);
      w_.pace_news(id, any_pace);
      if (!w_.up(id)) w_.start(id);
    }
    rests_ = w_.run_until([this] { return w_.all_equal(); }, 20s);
    for (std::size_t i = 0, asked = w_.calls().size(); i < asked; ++i)
      if (w_.call(i).is_put) w_.get(any_node(), w_.call(i).key);
    w_.run(6s);
    w_.judge();
  }

  cluster_world& world() { return w_; }
  bool rests() const { return rests_; }

  void add_to(tally& t) const {
    for (const auto& c : w_.calls()) c.is_put ? ++t.puts[c.what()] : t.reads += c.ok();
    for (const auto id : w_.ids())
      for (const auto& r : w_.roles(id)) {
        t.leaders += r.kind == raft::role_kind::leader;
        t.in_flight += r.write_in_flight && r.epoch > 1;
      }
    t.kills += kills_;
  }

 private:
  node_id any_node() { return w_.ids()[w_.pick(3)]; }

  void ask() {
    const auto at = any_node();
    if (!w_.up(at)) return;
    constexpr std::chrono::milliseconds patience[] = {30ms, 300ms, 1000ms, 4000ms};
    const auto timeout = patience[w_.pick(4)];
    if (keys_ == 0 || w_.pick(2) == 0)
      w_.put(at, "k" + std::to_string(++keys_), timeout);
    else
      w_.get(at, "k" + std::to_string(keys_ - w_.pick(std::min<std::uint64_t>(keys_, 10))), timeout);
  }

  void strike() {
    const auto id = any_node();
    constexpr std::size_t paces[] = {any_pace, any_pace, 1, 0};
    switch (w_.pick(9)) {
    case 0:
      return w_.net().isolate(id);
    case 1:
      return w_.net().cut(id, any_node());
    case 2:
    case 3:
      return w_.net().heal();
    case 4:
      return w_.pace_disk(id, paces[w_.pick(4)]);
    case 5:
      return w_.pace_news(id, paces[w_.pick(4)]);
    case 6:
      return w_.net().set({static_cast<unsigned>(w_.pick(30)), static_cast<unsigned>(w_.pick(20)),
                           std::chrono::milliseconds{1 + w_.pick(30)}});
    default:
      if (!w_.up(id)) return w_.start(id);
      // Kill it while its actors are in the middle of their work.
      w_.run_some(w_.pick(60));
      w_.kill(id, w_.pick(4));
      ++kills_;
    }
  }

  cluster_world w_;
  std::uint64_t keys_ = 0;
  std::size_t kills_ = 0;
  bool rests_ = false;
};

void survive(std::uint64_t seed, tally& seen) {
  walk one{seed};
  one.go(20s);
  one.recover();
  INFO("replay: TROUPE_SEED=" << seed << " test_actor_cluster \"clusters survive random faults\"\n"
                              << (std::getenv("TROUPE_SEED") ? one.world().trace() : std::string{}));
  REQUIRE(one.rests());
  REQUIRE(one.world().problems() == std::vector<std::string>{});
  one.add_to(seen);
  REQUIRE(one.world().close() == 0);
}

} // namespace

TEST_CASE("clusters survive random faults") {
  tally seen;
  if (const auto* only = std::getenv("TROUPE_SEED")) {
    survive(std::strtoull(only, nullptr, 10), seen);
    return;
  }
  const std::uint64_t seeds = std::getenv("TROUPE_LONG") ? 200 : 10;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) survive(seed, seen);
  std::cout << seeds << " seeds: puts committed " << seen.puts[outcome::committed] << ", rejected "
            << seen.puts[outcome::rejected] << ", unknown " << seen.puts[outcome::unknown] << "; reads " << seen.reads
            << "; leaders " << seen.leaders << "; kills " << seen.kills << "; role changes with a write in flight "
            << seen.in_flight << '\n';
  CHECK(seen.puts[outcome::committed] > 50 * seeds);
  CHECK(seen.puts[outcome::rejected] > 0);
  CHECK(seen.puts[outcome::unknown] > 0);
  CHECK(seen.reads > 100 * seeds);
  CHECK(seen.leaders > 2 * seeds);
  CHECK(seen.kills > seeds);
  CHECK(seen.in_flight > 0);
}

TEST_CASE("a seed of a cluster reproduces its trace") {
  const auto hash_of = [](std::uint64_t seed) {
    walk one{seed};
    one.go(5s);
    return one.world().trace_hash();
  };
  const auto first = hash_of(3);
  CHECK(hash_of(3) == first);
  CHECK(hash_of(4) != first);
}

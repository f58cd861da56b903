// Whole clusters with many seeds. TROUPE_SIM_SEEDS: the number of seeds (300). TROUPE_SIM_SEED: runs only this seed.
// TROUPE_SIM_TRACE=1: prints its trace.
#include "tests/sim/cluster.hpp"
#include "tests/sim/seeds.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>

namespace troupe::sim {
namespace {

void fail(std::uint64_t seed, const run_result& result) {
  FAIL("seed " << seed << ": " << *result.failure << "\nreplay: TROUPE_SIM_SEED=" << seed
               << " TROUPE_SIM_TRACE=1 test_sim_cluster \"whole clusters\"");
}

void print(const counters& c) {
  for (const auto& counter : all_counters())
    std::cout << std::left << std::setw(33) << counter.name << c.*counter.value << '\n';
}

} // namespace

TEST_CASE("whole clusters") {
  if (const auto seed = number_from("TROUPE_SIM_SEED")) {
    const auto result = run(draw_scenario(*seed), number_from("TROUPE_SIM_TRACE").has_value());
    std::cout << result.trace_text;
    if (result.failure) fail(*seed, result);
    return;
  }
  const auto seeds = number_from("TROUPE_SIM_SEEDS").value_or(300);
  const auto began = std::chrono::steady_clock::now();
  counters seen;
  double slowest_write = 0;
  role_table table;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto result = run(draw_scenario(seed));
    if (result.failure) fail(seed, result);
    REQUIRE(result.seen.operations >= 500);
    seen.add(result.seen);
    table.add(result.table);
    slowest_write = std::max(slowest_write, result.slowest_write);
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::cout << seeds << " seeds in " << took << " s\n";
  print(seen);
  std::cout << "slowest write of a majority       " << slowest_write << " election timeouts\n" << table.print();
  for (const auto& counter : all_counters()) {
    INFO(counter.name);
    CHECK((!counter.must_happen || seen.*counter.value > 0));
  }
  CHECK(table.unreached() == std::vector<std::string>{});
}

TEST_CASE("a seed is a trace") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const auto once = run(draw_scenario(seed), true);
    const auto again = run(draw_scenario(seed), true);
    CHECK(once.trace_hash == again.trace_hash);
    CHECK((once.trace_text == again.trace_text && !once.trace_text.empty()));
    CHECK(run(draw_scenario(seed)).trace_hash == once.trace_hash);
  }
}

} // namespace troupe::sim

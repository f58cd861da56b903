// Common steps of the tests of whole nodes.
#pragma once

#include "tests/actor/cluster_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace troupe::test {

inline node_id elected(cluster_world& w) {
  REQUIRE(w.run_until([&] { return w.leader().has_value(); }));
  return *w.leader();
}

/// Puts `count` keys and waits until all are acknowledged. Returns the calls.
inline std::vector<std::size_t> put_some(cluster_world& w, node_id at, const std::string& prefix, int count) {
  std::vector<std::size_t> calls;
  for (int i = 0; i < count; ++i) calls.push_back(w.put(at, prefix + std::to_string(i)));
  REQUIRE(w.run_until(
      [&] { return std::all_of(calls.begin(), calls.end(), [&](std::size_t c) { return w.call(c).ok(); }); }));
  return calls;
}

/// Final checks: all nodes become equal, no rule was violated, and all actors end.
inline void conclude(cluster_world& w) {
  const auto rests = w.run_until([&] { return w.all_equal(); }, 20s);
  w.run(6s);
  w.judge();
  INFO(w.trace());
  CHECK(rests);
  CHECK(w.problems() == std::vector<std::string>{});
  CHECK(w.close() == 0);
}

inline bool caught_up(cluster_world& w, node_id id) {
  const auto now = w.status(id);
  return now && now->ready;
}

} // namespace troupe::test

// How node 1 becomes leader; shared by the tests of leaders.
#pragma once

#include "raft/role.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

namespace troupe::raft::test {

/// Leads the term after the follower's, with the votes of `voters`. The no-op is on its way to the disk.
inline leader elected(follower from, const std::vector<std::uint64_t>& voters, time_point now) {
  const auto term = from.state().term() + 1;
  candidate c{std::move(from)};
  c.start(now);
  for (const auto id : voters) c.step(rpc{vote_response{test::from(id, term), true, true}}, now);
  REQUIRE(c.state().term() == term);
  bool won = c.step(persisted{all_of(c.state())}, now).next_role.has_value();
  for (const auto id : voters)
    won = won || c.step(rpc{vote_response{test::from(id, term), false, true}}, now).next_role;
  REQUIRE(won);
  leader l{std::move(c)};
  l.start(now);
  return l;
}

/// The same with the no-op on disk.
inline leader elected_and_synced(follower from, const std::vector<std::uint64_t>& voters, time_point now) {
  auto l = elected(std::move(from), voters, now);
  l.step(persisted{all_of(l.state())}, now);
  return l;
}

} // namespace troupe::raft::test

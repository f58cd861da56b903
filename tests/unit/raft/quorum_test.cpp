// Checks quorum.hpp against plain counting.
#include "raft/quorum.hpp"

#include "raft/base/random.hpp"

#include <catch2/catch.hpp>

#include <map>

namespace troupe::raft {
namespace {

/// The largest value for which counting finds more than half of the members at or above it.
index_t counted(const std::vector<member>& members, const std::map<node_id, index_t>& reached) {
  index_t best = 0;
  for (index_t value = 0; value <= 10; ++value) {
    std::size_t count = 0;
    for (const auto& m : members) count += reached.at(m.id) >= value ? 1u : 0u;
    if (2 * count > members.size()) best = value;
  }
  return best;
}

std::vector<member> some_members(prng& random, std::uint64_t at_most) {
  std::vector<member> members;
  for (std::uint64_t i = 1; i <= 9; ++i)
    if (members.size() < at_most && random.next() % 2 == 0) members.push_back({node_id{i}, {}});
  return members;
}

} // namespace

TEST_CASE("a quorum is what counting finds") {
  prng random{1};
  for (int round = 0; round < 5000; ++round) {
    std::map<node_id, index_t> reached;
    for (std::uint64_t i = 1; i <= 9; ++i) reached[node_id{i}] = random.next() % 11;
    const configuration c{
        some_members(random, 7), round % 2 == 0 ? some_members(random, 7) : std::vector<member>{}, {}};
    auto expected = counted(c.voters, reached);
    if (c.joint()) expected = std::min(expected, counted(c.outgoing, reached));
    if (c.voters.empty()) expected = 0;
    REQUIRE(quorum_value(c, [&](node_id id) { return reached.at(id); }) == expected);
    if (!c.voters.empty()) REQUIRE(has_quorum(c, [&](node_id id) { return reached.at(id) >= 5; }) == (expected >= 5));
  }
}

TEST_CASE("an empty set is not a quorum") {
  CHECK_FALSE(has_quorum({}, [](node_id) { return true; }));
}

TEST_CASE("half is not a majority") {
  const configuration four{{{node_id{1}, {}}, {node_id{2}, {}}, {node_id{3}, {}}, {node_id{4}, {}}}, {}, {}};
  CHECK_FALSE(has_quorum(four, [](node_id id) { return id.value <= 2; }));
  CHECK(has_quorum(four, [](node_id id) { return id.value <= 3; }));
}

TEST_CASE("a joint configuration needs both majorities, and learners do not count") {
  const configuration joint{{{node_id{1}, {}}, {node_id{2}, {}}, {node_id{3}, {}}},
                            {{node_id{3}, {}}, {node_id{4}, {}}, {node_id{5}, {}}},
                            {{node_id{6}, {}}}};
  CHECK_FALSE(has_quorum(joint, [](node_id id) { return id.value <= 3 || id.value == 6; }));
  CHECK(has_quorum(joint, [](node_id id) { return id.value >= 2 && id.value <= 4; }));
}

} // namespace troupe::raft

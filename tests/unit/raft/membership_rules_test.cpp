// How changes transform configurations: single cases, and random walks that check invariants.
#include "raft/membership_rules.hpp"

#include "raft/base/random.hpp"
#include "raft/quorum.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace troupe::raft {
namespace {

member node(std::uint64_t id, std::string address = {}) { return {node_id{id}, std::move(address)}; }

addition voter(std::uint64_t id, std::uint64_t replaces = 0) { return {node(id), true, node_id{replaces}}; }
addition learner(std::uint64_t id) { return {node(id), false, {}}; }

change_members adding(std::vector<addition> add) { return {1, std::move(add), {}, 0}; }
change_members removing(std::vector<node_id> remove) { return {1, {}, std::move(remove), 0}; }

constexpr index_t next_index = 9;

configuration changed(const configuration& from, const change_members& change) {
  return changed(from, change, next_index);
}
configuration promoted(const configuration& from, const may_vote& ready) { return promoted(from, ready, next_index); }

bool everybody(const promotion&) { return true; }
bool nobody(const promotion&) { return false; }

std::vector<member> nodes(std::vector<std::uint64_t> ids) {
  std::vector<member> made;
  for (const auto id : ids) made.push_back(node(id));
  return made;
}

/// Voters 1 to 3, and learner 4.
configuration with_a_learner() { return {nodes({1, 2, 3}), {}, nodes({4}), {}}; }

} // namespace

TEST_CASE("a node that joins is a learner first") {
  const auto c = changed(test::voters(3), adding({voter(4), learner(5)}));
  CHECK(c.voters == test::voters(3).voters);
  CHECK(c.learners == nodes({4, 5}));
  CHECK(c.promotions == std::vector<promotion>{{node_id{4}, {}, true}});
}

TEST_CASE("a caught-up learner becomes a voter and replaces the voter that its promotion names") {
  const auto c = changed(test::voters(3), adding({voter(4, 2), voter(5), learner(6)}));
  CHECK(promoted(c, nobody) == c);
  const auto four = promoted(c, [](const promotion& p) { return p.learner == node_id{4}; });
  CHECK(four.voters == nodes({1, 3, 4}));
  CHECK(four.learners == nodes({5, 6}));
  CHECK(promoted(c, everybody).voters == nodes({1, 3, 4, 5}));
  CHECK(promoted(c, everybody).learners == nodes({6}));
}

TEST_CASE("a learner may be promoted later, and demoted to a plain learner again") {
  const auto votes = changed(with_a_learner(), adding({voter(4)}));
  CHECK(votes.promotions.size() == 1);
  CHECK(promoted(votes, everybody).voters.size() == 4);
  CHECK(changed(votes, adding({learner(4)})) == with_a_learner());
}

TEST_CASE("the promotions of a removed node are removed with it") {
  const auto planned = changed(test::voters(3), adding({voter(4, 2), voter(5, 3)}));
  const auto without_learner = changed(planned, removing({node_id{4}}));
  CHECK(without_learner.promotions == std::vector<promotion>{{node_id{5}, node_id{3}, true}});
  const auto without_voter = changed(planned, removing({node_id{2}}));
  CHECK(without_voter.promotions == std::vector<promotion>{{node_id{4}, {}, true}, {node_id{5}, node_id{3}, true}});
  CHECK(promoted(without_voter, everybody).voters == nodes({1, 4, 5}));
}

TEST_CASE("a removal by an operator is remembered until the node is added again, a removal by a policy is not") {
  auto c = changed(test::voters(3), removing({node_id{3}}));
  CHECK(c.dismissed == std::vector{dismissal{node_id{3}, next_index}});
  CHECK(changed(c, adding({learner(3)})).dismissed.empty());
  auto guess = removing({node_id{2}});
  guess.asked = false;
  CHECK(changed(c, guess).dismissed == c.dismissed);
  for (std::uint64_t id = 100; id < 100 + max_dismissed; ++id)
    c = changed(changed(c, adding({learner(id)})), removing({node_id{id}}));
  CHECK(c.dismissed.size() == max_dismissed);
  CHECK_FALSE(c.is_dismissed(node_id{3}));
  CHECK(c.is_dismissed(node_id{100}));
}

TEST_CASE("of the oldest dismissals only the highest index is kept") {
  auto c = test::voters(3);
  for (index_t at = 10; at < 10 + max_dismissed + 2; ++at) {
    c = changed(c, adding({learner(at)}), at - 1);
    c = changed(c, removing({node_id{at}}), at);
  }
  CHECK(c.dismissed.size() == max_dismissed);
  CHECK(c.forgotten == 11);
  CHECK(c.dismissed.front() == dismissal{node_id{12}, 12});
  // A dismissal of an older version, without an index: it happened before the change that pushes it out.
  c.forgotten = 0;
  c.dismissed.front().at = 0;
  c = changed(changed(c, adding({learner(5)}), 199), removing({node_id{5}}), 200);
  CHECK(c.forgotten == 200);
}

TEST_CASE("an address is host:port or empty; a change names at most max_members nodes") {
  const auto c = test::voters(3);
  for (const auto* good : {"", "name:5000", "127.0.0.1:1", "[::1]:65535"})
    CHECK_FALSE(objection(c, adding({{node(4, good), true, {}}})));
  for (const auto* bad : {"nonsense", "::1:5", "host:70000", "host:port", "http://x:1", "127.0.0.1:1\n", "x y:1", ":1"})
    CHECK(objection(c, adding({{node(4, bad), true, {}}})) == reject_reason::invalid_address);
  CHECK(objection(c, adding({{node(4, std::string(1'000'000, 'a') + ":1"), true, {}}})) ==
        reject_reason::invalid_address);
  CHECK(objection(c, adding({{node(2, "nowhere"), true, {}}})) ==
        reject_reason::invalid_address); // the address of a voter
  change_members many = adding({});
  for (std::uint64_t id = 10; id < 11 + max_members; ++id) many.add.push_back(learner(id));
  CHECK(objection(c, many) == reject_reason::configuration_too_large);
}

TEST_CASE("a configuration grows up to its limits, and may shrink if it exceeds them") {
  const std::string longest(253, 'a');
  auto c = test::voters(7);
  for (auto& m : c.voters) m.address = longest + ":65535";
  for (std::uint64_t id = 10; c.voters.size() + c.learners.size() < max_members; ++id)
    c = changed(c, adding({{node(id, longest + ":65535"), true, {}}}));
  for (std::uint64_t id = 1000; id < 1000 + max_dismissed; ++id) c.dismissed.push_back({node_id{id}, id});
  CHECK(encode(c).size() <= max_configuration_bytes); // everything that the number of members allows fits
  CHECK(size_objection(c, changed(c, adding({learner(500)}))) == reject_reason::configuration_too_large);
  CHECK_FALSE(size_objection(c, changed(c, removing({node_id{10}}))));
  // From the log of an older version, which had no limits.
  auto huge = c;
  huge.learners[0].address = std::string(100'000, 'x');
  huge.learners.push_back(node(500));
  CHECK(decode_configuration(encode(huge)) == huge);
  CHECK(size_objection(huge, changed(huge, adding({learner(501)}))) == reject_reason::configuration_too_large);
  CHECK_FALSE(size_objection(huge, changed(huge, removing({node_id{500}}))));
  CHECK_FALSE(size_objection(huge, changed(huge, removing({node_id{11}}))));
}

TEST_CASE("a replaced voter is dismissed when it leaves, if an operator asked for that") {
  for (const bool asked : {true, false}) {
    auto change = adding({voter(4, 2)});
    change.asked = asked;
    const auto planned = changed(test::voters(3), change);
    CHECK_FALSE(planned.is_dismissed(node_id{2}));
    CHECK(promoted(planned, everybody).is_dismissed(node_id{2}) == asked);
    CHECK_FALSE(changed(planned, removing({node_id{4}})).is_dismissed(node_id{2})); // cancelled
  }
}

TEST_CASE("only one learner may replace a voter; an earlier one, and a policy's learner, become standby learners") {
  auto change = adding({voter(4, 2)});
  change.asked = false;
  auto c = changed(test::voters(3), change);
  c = changed(c, adding({voter(5, 2)}));
  CHECK(c.promotions == std::vector<promotion>{{node_id{4}, {}, false, true}, {node_id{5}, node_id{2}, true}});
  CHECK(promoted(c, everybody).voters == nodes({1, 3, 5}));
  auto spare = adding({learner(6)});
  spare.asked = false;
  c = changed(test::voters(3), spare);
  CHECK(c.promotions == std::vector<promotion>{{node_id{6}, {}, false, true}});
  CHECK(promoted(c, everybody).voters == nodes({1, 2, 3}));
  CHECK(changed(c, adding({voter(6)})).promotions == std::vector<promotion>{{node_id{6}, {}, true}});
  CHECK(changed(c, adding({learner(6)})).promotions.empty()); // an operator wants it to be a plain learner
}

TEST_CASE("a policy's decision about a learner does not undo an operator's request for it") {
  auto c = changed(test::voters(3), adding({voter(4)}));
  auto replacing = adding({voter(4, 2)});
  replacing.asked = false;
  c = changed(c, replacing);
  CHECK(c.promotions == std::vector<promotion>{{node_id{4}, node_id{2}, false, false, true}});
  // The replacement was the policy's decision: the voter that leaves is not dismissed.
  CHECK_FALSE(promoted(c, everybody).is_dismissed(node_id{2}));
  auto other = adding({voter(5, 2)});
  other.asked = false;
  c = changed(c, other);
  CHECK(c.promotions.front() == promotion{node_id{4}, {}, false, true, true});
  CHECK(changed(c, adding({voter(4)})).promotions.back() == promotion{node_id{4}, {}, true});
  CHECK(decode_configuration(encode(c)) == c);
}

TEST_CASE("a member with another address is the same member") {
  const auto moved =
      changed(with_a_learner(), adding({{node(2, "there:1"), true, {}}, {node(4, "there:2"), false, {}}}));
  CHECK(moved.voters == std::vector<member>{node(1), node(2, "there:1"), node(3)});
  CHECK(moved.learners == std::vector<member>{node(4, "there:2")});
  CHECK(next_step(with_a_learner(), moved) == moved);
}

TEST_CASE("contradictory changes are refused") {
  const auto c = with_a_learner();
  CHECK_FALSE(objection(c, adding({voter(5), learner(6), voter(7, 2)})));
  CHECK_FALSE(objection(c, removing({node_id{1}, node_id{4}})));
  for (const auto& bad :
       {adding({voter(0)}), adding({voter(5), voter(5)}), adding({voter(5, 2), voter(6, 2)}), adding({voter(5, 5)}),
        adding({learner(1)}), adding({voter(1, 2)}), adding({{node(5), false, node_id{2}}}),
        removing({node_id{1}, node_id{1}}), removing({node_id{}}), change_members{1, {voter(5)}, {node_id{5}}, 0},
        change_members{1, {voter(5, 2)}, {node_id{2}}, 0}})
    CHECK(objection(c, bad) == reject_reason::invalid_change);
  for (const auto& bad : {removing({node_id{9}}), adding({voter(5, 9)})})
    CHECK(objection(c, bad) == reject_reason::unknown_member);
  CHECK(objection(c, adding({voter(5, 4)})) == reject_reason::not_a_voter);
}

TEST_CASE("promotions of nodes that are not learners, as in damaged bytes, have no effect") {
  configuration c = test::voters(3);
  c.promotions = {{node_id{9}, {}}, {node_id{1}, node_id{2}}};
  CHECK(promoted(c, everybody).voters == c.voters);
}

TEST_CASE("section 6: any two majorities on the way from one configuration to another overlap") {
  prng random{11};
  const auto some = [&] {
    std::vector<member> chosen;
    for (std::uint64_t id = 1; id <= 6; ++id)
      if (random.next() % 2 == 0) chosen.push_back(node(id));
    return chosen.empty() ? nodes({1 + random.next() % 6}) : chosen;
  };
  std::size_t joint = 0;
  for (int round = 0; round < 300; ++round) {
    const configuration from{some(), {}, {}, {}};
    const configuration goal{some(), {}, {}, {}};
    const auto next = next_step(from, goal);
    joint += next.joint();
    CHECK(leave_joint(next) == goal);
    // For every set of nodes that is a quorum of one configuration, the rest is not a quorum of its neighbour.
    for (const auto& [a, b] : {std::pair{from, next}, std::pair{next, leave_joint(next)}})
      for (std::uint64_t set = 0; set < 64; ++set) {
        const auto in = [&](node_id id) { return (set >> (id.value - 1) & 1) == 1; };
        if (has_quorum(a, in)) REQUIRE_FALSE(has_quorum(b, [&](node_id id) { return !in(id); }));
      }
  }
  CHECK(joint > 100);
  CHECK(joint < 300);
}

TEST_CASE("after any allowed change, no node has two roles") {
  prng random{12};
  configuration c = test::voters(3);
  std::size_t done = 0;
  for (int round = 0; round < 20000; ++round) {
    change_members change;
    const auto anybody = [&] { return random.next() % 7; };
    for (auto n = random.next() % 3; n > 0; --n)
      change.add.push_back({node(anybody()), random.next() % 2 == 0, node_id{random.next() % 2 == 0 ? anybody() : 0}});
    for (auto n = random.next() % 2; n > 0; --n) change.remove.push_back(node_id{anybody()});
    change.asked = random.next() % 2 == 0;
    if (objection(c, change)) continue;
    const auto ready = random.next();
    const auto goal =
        promoted(changed(c, change), [&](const promotion& p) { return (ready >> p.learner.value & 1) == 1; });
    if (goal.voters.empty()) continue;
    c = goal;
    ++done;
    std::set<node_id> seen;
    for (const auto* group : {&c.voters, &c.learners})
      for (const auto& m : *group) REQUIRE((m.id && seen.insert(m.id).second));
    std::set<node_id> planned;
    std::set<node_id> leaving;
    REQUIRE(c.dismissed.size() <= max_dismissed);
    std::set<node_id> dismissed;
    for (const auto& d : c.dismissed) REQUIRE((dismissed.insert(d.node).second && !seen.contains(d.node)));
    for (const auto& p : c.promotions) {
      REQUIRE(std::find(c.learners.begin(), c.learners.end(), node(p.learner.value)) != c.learners.end());
      REQUIRE(planned.insert(p.learner).second);
      REQUIRE((!p.replaces || (c.is_voter(p.replaces) && leaving.insert(p.replaces).second && !p.standby)));
    }
  }
  CHECK(done > 2000);
}

} // namespace troupe::raft

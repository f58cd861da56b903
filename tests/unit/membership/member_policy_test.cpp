// Which nodes are admitted and which are removed, rule by rule.
#include "raft/membership/member_policy.hpp"

#include "raft/membership_rules.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;

const time_point start{1000s};

member at(std::uint64_t id) { return {node_id{id}, "host" + std::to_string(id) + ":1"}; }

/// Node 1 leads `voters` nodes, all alive.
struct scene {
  member_sightings seen;
  member_policy policy;

  explicit scene(std::uint64_t voters, member_policy_options opts = {}) : policy(node_id{1}, opts) {
    seen.members = test::voters(voters);
    seen.at = 7;
    for (std::uint64_t i = 2; i <= voters; ++i) seen.health.push_back({node_id{i}, peer_state::alive, 0, {}, true});
  }
  void is(std::uint64_t id, peer_state state) {
    for (auto& h : seen.health)
      if (h.id.value == id) h.state = state;
  }
  void learner(std::uint64_t id) {
    seen.members.learners.push_back(at(id));
    seen.health.push_back({node_id{id}, peer_state::alive, 0, {}, true});
  }
  /// Applies a decision as the leader does, without any promotion.
  void follow(const member_decision& found) {
    CHECK_FALSE(found.change.asked);
    REQUIRE_FALSE(objection(seen.members, found.change));
    seen.members = changed(seen.members, found.change, 9);
  }
  void vote(std::uint64_t id) {
    seen.members = promoted(
        seen.members, [&](const promotion& p) { return p.learner.value == id; }, 9);
  }
  std::optional<member_decision> decide(duration after = 0s) { return policy.decide(seen, start + after); }
  /// Decides once to start the grace period, and again when it is over.
  std::optional<member_decision> later() {
    CHECK_FALSE(decide());
    return decide(60s);
  }
};

member_policy_options removing(std::size_t min_voters = 3) {
  member_policy_options opts;
  opts.remove = true;
  opts.min_voters = min_voters;
  return opts;
}

} // namespace

TEST_CASE("nodes that ask to join are admitted one at a time, and become voters") {
  scene s{1};
  CHECK_FALSE(s.decide());
  s.seen.joiners = {at(2), at(3)};
  const auto found = s.decide();
  REQUIRE(found);
  REQUIRE(found->change.add.size() == 1);
  CHECK(found->change.add[0].who == at(2));
  CHECK(found->change.add[0].votes);
  CHECK_FALSE(found->change.add[0].replaces);
  CHECK(found->change.based_on == 7);
  CHECK(found->reason == "node 0000000000000002 at host2:1 joins");
  s.seen.members.learners = {at(2)};
  CHECK(s.decide()->change.add[0].who == at(3));
  s.seen.members.outgoing = s.seen.members.voters;
  CHECK_FALSE(s.decide()); // one change at a time
}

TEST_CASE("a node that joins when there are max_voters stays a learner") {
  scene s{7};
  s.seen.joiners = {at(8)};
  CHECK_FALSE(s.decide()->change.add[0].votes);
  scene almost{6};
  almost.seen.members.learners = {at(7)};
  almost.seen.members.promotions = {{node_id{7}, {}}};
  almost.seen.joiners = {at(8)};
  CHECK_FALSE(almost.decide()->change.add[0].votes);
  member_policy_options closed;
  closed.add = false;
  scene shut{3, closed};
  shut.seen.joiners = {at(4)};
  CHECK_FALSE(shut.decide());
}

TEST_CASE("a voter that is dead for the grace period is removed, if enough voters and a live majority remain") {
  scene s{5, removing()};
  s.is(4, peer_state::dead);
  CHECK_FALSE(s.decide());
  CHECK_FALSE(s.decide(59s));
  const auto found = s.decide(60s);
  REQUIRE(found);
  CHECK(found->change.remove == std::vector{node_id{4}});
  CHECK(found->change.add.empty());
  CHECK(found->reason == "node 0000000000000004 is dead and is removed");

  scene alive_again{5, removing()};
  alive_again.is(4, peer_state::dead);
  alive_again.decide();
  alive_again.is(4, peer_state::alive);
  alive_again.decide(30s);
  alive_again.is(4, peer_state::dead);
  CHECK_FALSE(alive_again.decide(60s));

  scene suspected{5, removing()};
  suspected.is(4, peer_state::suspect);
  CHECK_FALSE(suspected.later());

  scene off{5};
  off.is(4, peer_state::dead);
  CHECK_FALSE(off.later());
}

TEST_CASE("removal leaves at least min_voters, and a majority that responds") {
  scene small{3, removing()};
  small.is(3, peer_state::dead);
  CHECK_FALSE(small.later());
  scene smaller{3, removing(2)};
  smaller.is(3, peer_state::dead);
  CHECK(smaller.later());
  // Of the four that would remain two are alive: not a majority.
  scene split{5, removing()};
  split.is(3, peer_state::suspect);
  split.is(4, peer_state::dead);
  split.is(5, peer_state::dead);
  CHECK_FALSE(split.later());
  scene not_a_voter{5, removing()};
  not_a_voter.seen.members.voters.erase(not_a_voter.seen.members.voters.begin());
  not_a_voter.is(4, peer_state::dead);
  CHECK_FALSE(not_a_voter.later());
}

TEST_CASE("the voter that is dead for longest is removed first, and a new leader starts counting from zero") {
  scene s{7, removing()};
  s.is(6, peer_state::dead);
  s.decide();
  s.is(3, peer_state::dead);
  s.decide(10s);
  CHECK(s.decide(70s)->change.remove == std::vector{node_id{6}});
  s.policy.forget();
  CHECK_FALSE(s.decide(80s));
}

TEST_CASE("a joiner replaces a dead voter in one step") {
  scene s{3, removing()};
  s.is(2, peer_state::dead);
  CHECK_FALSE(s.later());
  s.seen.joiners = {at(4)};
  const auto found = s.decide(61s);
  REQUIRE(found);
  CHECK(found->change.add[0].who == at(4));
  CHECK(found->change.add[0].replaces == node_id{2});
  CHECK(found->change.remove.empty());
  CHECK(found->reason == "node 0000000000000004 at host4:1 joins in place of node 0000000000000002, which is dead");
  // A replacement in progress is not started again.
  s.seen.joiners.clear();
  s.learner(4);
  s.seen.members.promotions = {{node_id{4}, node_id{2}}};
  CHECK_FALSE(s.decide(62s));
}

TEST_CASE("a live learner replaces a dead voter; a dead learner is removed") {
  scene s{3, removing()};
  s.learner(8);
  s.is(2, peer_state::dead);
  CHECK_FALSE(s.later()); // an operator wants it to be a plain learner
  s.seen.members.promotions = {{node_id{8}, {}}};
  const auto found = s.decide(60s);
  REQUIRE(found);
  CHECK(found->change.add[0].who == at(8));
  CHECK(found->change.add[0].replaces == node_id{2});

  scene dead{3, removing()};
  dead.learner(8);
  dead.is(8, peer_state::dead);
  CHECK(dead.later()->change.remove == std::vector{node_id{8}});
}

TEST_CASE("a standby learner is promoted when there is a place, and replaces a voter that may not be removed") {
  for (const std::size_t min_voters : {3u, 7u}) {
    scene s{7, removing(min_voters)};
    s.seen.joiners = {at(8)};
    s.follow(*s.decide());
    s.seen.joiners.clear();
    s.seen.health.push_back({node_id{8}, peer_state::alive, 0, {}, true});
    CHECK_FALSE(s.decide());
    s.is(2, peer_state::dead);
    const auto found = s.later();
    REQUIRE(found);
    s.follow(*found);
    if (min_voters == 3) {
      CHECK(found->change.remove == std::vector{node_id{2}});
      const auto place = s.decide(61s);
      REQUIRE(place);
      CHECK(place->reason == "there is a voter's place for learner 0000000000000008");
      s.follow(*place);
    }
    CHECK_FALSE(s.decide(62s));
    s.vote(8);
    CHECK(s.seen.members.voters.size() == 7);
    CHECK(s.seen.members.is_voter(node_id{8}));
    CHECK_FALSE(s.seen.members.is_voter(node_id{2}));
  }
  // But not a plain learner that an operator asked for.
  scene reader{7, removing(7)};
  reader.learner(8);
  reader.is(2, peer_state::dead);
  CHECK_FALSE(reader.later());
}

TEST_CASE("a dead learner that a policy admitted is removed, even if nothing else may be") {
  scene s{3};
  s.seen.joiners = {at(4)};
  s.follow(*s.decide());
  s.seen.joiners.clear();
  s.learner(5);
  s.seen.members.learners = {at(4), at(5)};
  s.seen.health.push_back({node_id{4}, peer_state::dead, 0, {}, true});
  s.is(5, peer_state::dead);
  s.is(2, peer_state::dead);
  const auto found = s.later();
  REQUIRE(found);
  CHECK(found->change.remove == std::vector{node_id{4}});
  s.follow(*found);
  CHECK_FALSE(s.decide(61s));
}

TEST_CASE("a learner replaces one voter at a time, and a dead voter is removed if enough voters are left") {
  scene s{5, removing()};
  s.learner(6);
  s.seen.members.promotions = {{node_id{6}, node_id{4}}};
  s.is(4, peer_state::dead);
  s.is(5, peer_state::dead);
  // The learner does not catch up. Of five voters three are alive, which is a majority of the other four.
  const auto first = s.later();
  REQUIRE(first);
  CHECK(first->change.add.empty());
  REQUIRE(first->change.remove.size() == 1);

  scene small{3, removing()};
  small.learner(6);
  small.learner(7);
  small.seen.members.promotions = {{node_id{6}, node_id{3}}};
  small.is(2, peer_state::dead);
  small.is(3, peer_state::dead);
  CHECK_FALSE(small.later());
}

TEST_CASE("a voter that is alive again keeps the place that the policy promised to another node") {
  scene s{3, removing()};
  s.is(2, peer_state::dead);
  s.later();
  s.seen.joiners = {at(4)};
  REQUIRE(s.decide(61s)->change.add[0].replaces == node_id{2});
  s.seen.joiners.clear();
  s.learner(4);
  s.seen.members.promotions = {{node_id{4}, node_id{2}}};
  s.is(2, peer_state::suspect);
  CHECK_FALSE(s.decide(62s));
  s.is(2, peer_state::alive);
  const auto back = s.decide(63s);
  REQUIRE(back);
  CHECK(back->change.add[0].who == at(4));
  CHECK(back->change.add[0].votes);
  CHECK_FALSE(back->change.add[0].replaces);
  s.follow(*back);
  CHECK_FALSE(s.decide(64s));
  // A replacement that an operator asked for stays, even by the same node.
  s.seen.members.promotions = {{node_id{4}, node_id{3}, true}};
  CHECK_FALSE(s.decide(65s));
  // A leader that did not decide on the replacement cancels it as well.
  scene heir{3, removing()};
  heir.learner(4);
  heir.seen.members.promotions = {{node_id{4}, node_id{2}}};
  CHECK(heir.decide());
}

TEST_CASE("a learner that an operator asked for is promoted, although its voter is alive again, and not removed") {
  member_policy_options full = removing();
  scene s{5, full};
  s.learner(6);
  s.seen.members.promotions = {{node_id{6}, node_id{2}, false, false, true}};
  const auto back = s.decide();
  REQUIRE(back);
  CHECK(back->change.add[0].votes);
  CHECK_FALSE(back->change.add[0].replaces);
  scene keeps{3, {}};
  keeps.learner(6);
  keeps.seen.members.promotions = {{node_id{6}, {}, false, true, true}};
  keeps.is(6, peer_state::dead);
  CHECK_FALSE(keeps.later());
}

TEST_CASE("no node is admitted while many wait to become voters; plain learners do not count") {
  scene s{3, removing()};
  for (std::uint64_t id = 10; id < 17; ++id) s.learner(id);
  s.seen.joiners = {at(20)};
  s.is(2, peer_state::dead);
  s.decide();
  const auto found = s.decide(60s);
  REQUIRE(found);
  CHECK(found->change.add[0].replaces == node_id{2});
  for (std::uint64_t id = 10; id < 17; ++id) s.seen.members.promotions.push_back({node_id{id}, {}, true});
  s.is(2, peer_state::alive);
  CHECK_FALSE(s.decide(61s));
  CHECK(s.policy.is_crowded(s.seen));
  s.seen.members.promotions.pop_back();
  CHECK_FALSE(s.policy.is_crowded(s.seen));
  CHECK(s.decide(62s));
}

} // namespace troupe::raft

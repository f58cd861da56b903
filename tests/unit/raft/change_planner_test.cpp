// Which configuration a leader may append next. change_rules_test.cpp tests the same rules through a leader.
#include "raft/change_planner.hpp"

#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{1000}};
constexpr index_t end_of_log = 2;

/// Node 1 leads. Its log is an old configuration and `members`, both of term 1.
struct leading {
  explicit leading(const configuration& members, index_t commit = end_of_log)
      : state(node_id{1}, test::cluster, {}, 42, disk_with(members)) {
    state.commit_to(commit);
    for (const auto& m : members.members())
      if (m.id != state.self()) peers.add(m.id, end_of_log, start);
  }
  static recovered disk_with(const configuration& members) {
    auto disk = test::disk_with({1, 1}, {1, {}}, 1);
    disk.configurations.push_back({end_of_log, 1, entry_kind::configuration, bytes{encode(members)}});
    return disk;
  }
  /// The peer has the whole log.
  void responded(std::uint64_t peer, bool ineligible = false) {
    REQUIRE(peers.note({1, node_id{peer}, end_of_log, 0, start, ineligible}, end_of_log));
  }
  void responded(std::initializer_list<std::uint64_t> all) {
    for (const auto peer : all) responded(peer);
  }
  change_planner planner(time_point now = start) const { return {state, peers, term_start, start, now}; }
  std::variant<configuration, reject_reason> change(const change_members& what, time_point now = start) const {
    return planner(now).change(what, false);
  }

  node_state state;
  options opts;
  peer_table peers{opts};
  index_t term_start = 1;
};

change_members removing(std::vector<node_id> who) { return {7, {}, std::move(who), 0}; }
change_members adding(std::uint64_t id) { return {7, {{{node_id{id}, {}}, true, {}}}, {}, 0}; }

configuration with_learner(std::uint64_t voters, promotion how) {
  auto c = test::voters(voters);
  c.learners = {{how.learner, {}}};
  c.promotions = {how};
  return c;
}

bool is(const std::variant<configuration, reject_reason>& result, reject_reason why) {
  return std::holds_alternative<reject_reason>(result) && std::get<reject_reason>(result) == why;
}

const node_id joiner{9};

} // namespace

TEST_CASE("a removal of one voter takes one step, and of two voters a joint configuration") {
  leading l{test::voters(5)};
  l.responded({2, 3, 4, 5});
  const auto one = std::get<configuration>(l.change(removing({node_id{5}})));
  CHECK(one.voters == test::voters(4).voters);
  CHECK_FALSE(one.joint());
  CHECK(one.dismissed == std::vector<dismissal>{{node_id{5}, end_of_log + 1}});
  const auto two = std::get<configuration>(l.change(removing({node_id{4}, node_id{5}})));
  CHECK(two.voters == test::voters(3).voters);
  CHECK(two.outgoing == test::voters(5).voters);
}

TEST_CASE("a change waits until an entry of the leader's term and the configuration are committed") {
  leading l{test::voters(3)};
  l.responded({2, 3});
  l.term_start = end_of_log + 1;
  CHECK(is(l.change(removing({node_id{3}})), reject_reason::leader_too_new));
  l.term_start = end_of_log;
  CHECK(std::holds_alternative<configuration>(l.change(removing({node_id{3}}))));

  const leading uncommitted{test::voters(3), end_of_log - 1};
  CHECK(is(uncommitted.change(adding(9)), reject_reason::change_in_progress));
  auto joint = test::voters(3);
  joint.outgoing = test::voters(5).voters;
  CHECK(is(leading{joint}.change(adding(9)), reject_reason::change_in_progress));
}

TEST_CASE("reasons that will not pass are given before those that will") {
  leading l{test::voters(3)};
  l.term_start = end_of_log + 1;
  auto based = adding(9);
  based.based_on = end_of_log - 1;
  const auto refused = [&](const change_members& what, bool transferring, reject_reason why) {
    return is(l.planner().change(what, transferring), why);
  };
  l.state.note_room(false);
  CHECK(refused(removing({node_id{3}, node_id{3}}), true, reject_reason::invalid_change));
  CHECK(refused(based, true, reject_reason::stale_configuration));
  CHECK(refused(adding(9), true, reject_reason::transferring));
  CHECK(refused(adding(9), false, reject_reason::disk_full));
  l.state.note_room(true);
  CHECK(refused(adding(9), false, reject_reason::leader_too_new));
  l.term_start = 1;
  based.based_on = end_of_log;
  CHECK(std::holds_alternative<configuration>(l.change(based)));
  CHECK(is(l.change(removing({joiner})), reject_reason::unknown_member));
}

TEST_CASE("a change has an effect and leaves a voter") {
  leading l{test::voters(1)};
  CHECK(is(l.change(adding(1)), reject_reason::nothing_to_change));
  CHECK(is(l.change(removing({node_id{1}})), reject_reason::no_voter_left));
}

TEST_CASE("voters change only if a majority of the new ones responds") {
  leading l{test::voters(3)};
  const auto later = start + l.opts.election_max;
  const auto removal = removing({node_id{2}}); // leaves 1 and 3
  CHECK(is(l.change(removal), reject_reason::leader_too_new));
  CHECK(is(l.change(removal, later - duration{1}), reject_reason::leader_too_new));
  CHECK(is(l.change(removal, later), reject_reason::no_majority_left));
  CHECK(std::holds_alternative<configuration>(l.change(adding(9), later))); // a learner is not counted
  l.responded(3);
  CHECK(std::holds_alternative<configuration>(l.change(removal)));
  CHECK(is(l.change(removal, later), reject_reason::no_majority_left)); // it responded too long ago
}

TEST_CASE("a learner is promoted when it has caught up and all voters respond") {
  leading l{with_learner(3, {joiner, {}})};
  l.responded({2, 3});
  CHECK_FALSE(l.planner().promotions());
  l.responded(9);
  const auto next = l.planner().promotions();
  REQUIRE(next);
  CHECK(next->is_voter(joiner));
  CHECK(next->learners.empty());
  CHECK_FALSE(l.planner(start + l.opts.election_max).promotions()); // all of that is too long ago
  SECTION("a change includes the promotion") {
    const auto changed = std::get<configuration>(l.change(adding(8)));
    CHECK(changed.is_voter(joiner));
    CHECK(changed.is_member(node_id{8}));
  }
  SECTION("not before an entry of the leader's term is committed") {
    l.term_start = end_of_log + 1;
    CHECK_FALSE(l.planner().promotions());
  }
  SECTION("not while it is ineligible") {
    l.responded(9, true);
    CHECK_FALSE(l.planner().promotions());
  }
}

TEST_CASE("the learner of a single voter is promoted") {
  leading l{with_learner(1, {joiner, {}})};
  l.responded(9);
  CHECK(l.planner().promotions());
}

TEST_CASE("a promotion that makes majorities larger waits for silent voters") {
  leading three{with_learner(3, {joiner, {}})};
  three.responded({2, 9});
  CHECK_FALSE(three.planner().promotions());
  // One more than a majority of six responds: 1 to 4 and the learner.
  leading five{with_learner(5, {joiner, {}})};
  five.responded({2, 3, 9});
  CHECK_FALSE(five.planner().promotions());
  five.responded(4);
  CHECK(five.planner().promotions());
}

TEST_CASE("a learner replaces a silent voter") {
  leading l{with_learner(3, {joiner, node_id{3}})};
  l.responded({2, 9});
  const auto next = l.planner().promotions();
  REQUIRE(next);
  CHECK(next->voters == std::vector<member>{{node_id{1}, {}}, {node_id{2}, {}}, {joiner, {}}});
}

TEST_CASE("a standby learner is not promoted") {
  leading l{with_learner(3, {joiner, {}, false, true})};
  l.responded({2, 3, 9});
  CHECK_FALSE(l.planner().promotions());
}

} // namespace troupe::raft

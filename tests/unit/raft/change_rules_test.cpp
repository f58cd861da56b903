// The conditions under which a leader may change the members, and what a joint configuration requires of it. A mutant
// of the core without one of these conditions must fail the test that is named for it (CMakeLists.txt).
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;

const time_point start{std::chrono::seconds{100}};

/// Node 1, whose log is the configuration of `nodes` voters and then `second`, all of term 1 and committed.
node_state committed_state(const configuration& second, std::uint64_t nodes) {
  auto disk = test::disk_with({1, 1}, {1, {}}, nodes);
  disk.configurations.push_back({2, 1, entry_kind::configuration, bytes{encode(second)}});
  node_state state{node_id{1}, test::cluster, {}, 42, disk};
  state.commit_to(2);
  return state;
}

/// Elected by nodes 2 and 3 in term 2, with its no-op 3/2 on its own disk.
leader elected(node_state state) { return test::elected_and_synced(follower{std::move(state)}, {2, 3}, start); }

output report(leader& l, std::uint64_t peer, index_t match, std::uint64_t round = 0, duration after = {},
              bool ineligible = false) {
  return l.step(peer_report{l.state().term(), node_id{peer}, match, round, start + after, ineligible}, start + after);
}

change_members removing(std::vector<node_id> who) { return {7, {}, std::move(who), 0}; }

/// Of five voters, 4 and 5 are to leave in one step, which is not committed yet. Both majorities count: two of 1, 2, 3
/// and three of all five. Every voter was heard at `start`.
leader in_joint_configuration() {
  auto l = elected(committed_state(test::voters(5), 5));
  for (const auto id : {2u, 3u, 4u, 5u}) report(l, id, 3);
  REQUIRE(l.state().commit() == 3);
  REQUIRE(l.step(removing({node_id{4}, node_id{5}}), start).accepted_now.size() == 1);
  REQUIRE(l.state().members().joint());
  return l;
}

/// Three voters, and learner 4 with a promotion.
configuration with_learner() {
  auto c = test::voters(3);
  c.learners = {{node_id{4}, {}}};
  c.promotions = {{node_id{4}, {}}};
  return c;
}

/// All voters of `with_learner` have responded to this leader and have its log.
leader with_learner_settled() {
  auto l = elected(committed_state(with_learner(), 3));
  for (const auto id : {2u, 3u}) report(l, id, 3);
  REQUIRE(l.state().commit() == 3);
  return l;
}

bool votes(const leader& l, std::uint64_t id) { return l.state().members().is_voter(node_id{id}); }

} // namespace

TEST_CASE("a leader changes no members before an entry of its term is committed") {
  auto l = elected(committed_state(test::voters(4), 4));
  // They have responded, and have everything but the entry of this term.
  for (const auto id : {2u, 3u, 4u}) report(l, id, 2);
  REQUIRE(l.state().configuration_committed());
  const auto refused = l.step(removing({node_id{4}}), start);
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::leader_too_new);
  CHECK_FALSE(refused.write_now);
  CHECK(votes(l, 4));
  for (const auto id : {2u, 3u}) report(l, id, 3);
  CHECK(l.step(removing({node_id{4}}), start).accepted_now.size() == 1);
}

TEST_CASE("a leader promotes no learner before an entry of its term is committed") {
  auto l = elected(committed_state(with_learner(), 3));
  for (const auto id : {2u, 3u}) report(l, id, 2);
  for (int i = 1; i < 4; ++i) CHECK_FALSE(report(l, 4, 3, 0, i * 1ms).write_now);
  CHECK_FALSE(votes(l, 4));
  report(l, 2, 3, 0, 5ms);
  report(l, 4, 3, 0, 6ms);
  CHECK(votes(l, 4));
}

TEST_CASE("a read in a joint configuration waits for both majorities") {
  auto l = in_joint_configuration();
  l.step(read_request{5}, start);
  CHECK(report(l, 2, 3, 1).reads.empty()); // 1 and 2 are the new majority
  CHECK(report(l, 3, 3, 1).reads.size() == 1);

  auto other = in_joint_configuration();
  other.step(read_request{5}, start);
  CHECK(report(other, 4, 3, 1).reads.empty());
  CHECK(report(other, 5, 3, 1).reads.empty()); // 1, 4 and 5 are the old majority
  CHECK(report(other, 3, 3, 1).reads.size() == 1);
}

TEST_CASE("a leader in a joint configuration steps down when the old majority is silent") {
  const auto& o = options{};
  auto l = in_joint_configuration();
  report(l, 2, 3, 0, o.election_max); // 1 and 2 are the new majority
  const auto out = l.step(tick{}, start + o.election_max);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);

  auto new_is_silent = in_joint_configuration();
  for (const auto id : {4u, 5u}) report(new_is_silent, id, 3, 0, o.election_max);
  CHECK(new_is_silent.step(tick{}, start + o.election_max).next_role);

  auto followed = in_joint_configuration();
  for (const auto id : {2u, 4u}) report(followed, id, 3, 0, o.election_max);
  CHECK_FALSE(followed.step(tick{}, start + o.election_max).next_role);
}

TEST_CASE("an ineligible learner is not promoted") {
  auto l = with_learner_settled();
  for (int i = 1; i < 4; ++i) CHECK_FALSE(report(l, 4, 3, 0, i * 1ms, true).write_now);
  CHECK_FALSE(votes(l, 4));
  // Nor by a membership change that an operator asks for.
  CHECK(l.step(change_members{8, {{{node_id{5}, {}}, false, {}}}, {}, 0}, start + 4ms).accepted_now.size() == 1);
  CHECK_FALSE(votes(l, 4));
  l.step(persisted{test::all_of(l.state())}, start + 4ms);
  report(l, 2, 4, 0, 5ms);
  for (int i = 6; i < 9; ++i) report(l, 4, 4, 0, i * 1ms);
  CHECK(votes(l, 4));
}

TEST_CASE("a leader that transfers its leadership promotes no learner meanwhile") {
  auto l = with_learner_settled();
  const auto end = l.state().opts().election_max;
  REQUIRE(l.step(transfer_leadership{9, node_id{2}}, start).failed_proposals.empty());
  for (int i = 1; i < 4; ++i) CHECK_FALSE(report(l, 4, 3, 0, i * 1ms).write_now);
  CHECK_FALSE(votes(l, 4));
  // The transfer fails, and the leader continues.
  for (const auto id : {2u, 3u}) report(l, id, 3, 0, end);
  CHECK(l.step(tick{}, start + end).failed_transfer);
  for (int i = 1; i < 4; ++i) report(l, 4, 3, 0, end + i * 1ms);
  CHECK(votes(l, 4));
}

} // namespace troupe::raft

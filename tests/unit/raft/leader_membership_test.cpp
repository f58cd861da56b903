// A leader during membership changes: what counts in a joint configuration, a leader that is not a member, and removal
// notices.
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

configuration joint() {
  // 1, 2, 3 are replaced by 3, 4, 5.
  return {{{node_id{3}, {}}, {node_id{4}, {}}, {node_id{5}, {}}}, test::voters(3).voters, {}, {}};
}

/// Node 1, whose log is the configuration of three voters and then `second`, both of term 1.
node_state state_with(const configuration& second) {
  auto disk = test::disk_with({1, 1}, {1, {}});
  disk.configurations.push_back({2, 1, entry_kind::configuration, bytes{encode(second)}});
  return {node_id{1}, test::cluster, {}, 42, disk};
}

/// Elected by `voters` in term 2, with its no-op 3/2 on disk.
leader elected(node_state state, const std::vector<std::uint64_t>& voters) {
  return test::elected_and_synced(follower{std::move(state)}, voters, start);
}

output report(leader& l, std::uint64_t peer, index_t match, std::uint64_t round = 0, duration after = {}) {
  return l.step(peer_report{l.state().term(), node_id{peer}, match, round, start + after}, start + after);
}

change_members removing(std::uint64_t id) { return {7, {}, {node_id{id}}, 0}; }
change_members adding(std::uint64_t id) { return {7, {{{node_id{id}, {}}, true, {}}}, {}, 0}; }

/// Of three voters, with everything committed.
leader settled() {
  auto l = elected(test::state_with({1, 1}, {1, {}}), {2});
  report(l, 2, 3);
  REQUIRE(l.state().commit() == 3);
  return l;
}

std::vector<node_id> started(const output& out) {
  std::vector<node_id> ids;
  if (out.membership)
    for (const auto& m : out.membership->start) ids.push_back(m.id);
  return ids;
}

template <class Message> const Message* sent(const output& out) {
  for (const auto* list : {&out.send_now, &out.send_after_persist})
    for (const auto& message : *list)
      if (const auto* found = std::get_if<Message>(&message)) return found;
  return nullptr;
}

} // namespace

TEST_CASE("a joint configuration needs both majorities for a candidate") {
  follower f{state_with(joint())};
  f.start(start);
  candidate c{std::move(f)};
  CHECK(c.start(start).send_now.size() == 4);
  c.step(rpc{vote_response{test::from(2, 2), true, true}}, start);
  c.step(rpc{vote_response{test::from(3, 2), true, true}}, start);
  CHECK(c.state().term() == 1); // 1, 2, 3 of the old configuration, 3 of the new
  c.step(rpc{vote_response{test::from(5, 2), true, true}}, start);
  CHECK(c.state().term() == 2);
}

TEST_CASE("a joint configuration needs both majorities for a commit, and is left by the leader") {
  auto l = elected(state_with(joint()), {2, 3, 4});
  report(l, 2, 3);
  report(l, 4, 3);
  CHECK(l.state().commit() == 0); // 1 and 2 of the old configuration, 4 of the new
  const auto out = report(l, 5, 3);
  CHECK(l.state().commit() == 3);
  REQUIRE(out.write_now);
  REQUIRE(out.write_now->append.size() == 1);
  CHECK(decode_configuration(out.write_now->append[0].data.view())->voters == joint().voters);
  CHECK_FALSE(l.state().members().joint());
  // From now on the new configuration alone decides.
  report(l, 3, 4);
  const auto done = report(l, 4, 4);
  CHECK(l.state().commit() == 4);
  // Node 1 is not in the new configuration: it transfers its leadership and knows of its removal.
  CHECK(done.removed == 4);
  REQUIRE(sent<timeout_now>(done));
  CHECK(sent<timeout_now>(done)->head.to == node_id{3});
}

TEST_CASE("a joint configuration needs both majorities for a read and for staying leader") {
  auto l = elected(state_with(joint()), {3, 4});
  for (const auto id : {2u, 4u, 5u}) report(l, id, 3);
  REQUIRE(l.state().commit() == 3); // entry 4 leaves the joint configuration, uncommitted: 3, 4, 5 count now
  l.step(read_request{5}, start);
  CHECK(report(l, 2, 3, 1).reads.empty());
  CHECK(report(l, 4, 3, 1).reads.empty()); // the leader itself is not in the new majority
  CHECK(report(l, 5, 3, 1).reads.size() == 1);

  auto m = elected(state_with(joint()), {3, 4});
  const auto& o = m.state().opts();
  report(m, 2, 0, 0, o.election_max);
  const auto out = m.step(tick{}, start + o.election_max);
  REQUIRE(out.next_role); // 1 and 2 of the old configuration, none of the new
  CHECK(out.next_role->to == role_kind::follower);
}

TEST_CASE("a failed `based_on` and an invalid change are refused as such, whatever else is in progress") {
  auto stale = removing(3);
  stale.based_on = 1; // the configuration of settled() is at 1
  auto bad = adding(4);
  bad.add[0].who.address = "nowhere";
  const auto why = [](leader& l, const change_members& what) {
    const auto out = l.step(what, start);
    REQUIRE(out.failed_proposals.size() == 1);
    return out.failed_proposals[0].why;
  };
  auto l = settled();
  l.step(adding(4), start); // not committed
  REQUIRE(why(l, removing(3)) == reject_reason::change_in_progress);
  CHECK(why(l, stale) == reject_reason::stale_configuration);
  CHECK(why(l, bad) == reject_reason::invalid_address);

  auto moving = settled();
  moving.step(transfer_leadership{5, {}}, start);
  REQUIRE(why(moving, removing(3)) == reject_reason::transferring);
  stale.based_on = 99;
  CHECK(why(moving, stale) == reject_reason::stale_configuration);

  auto fresh = elected(test::state_with({1, 1}, {1, {}}), {2}); // nothing of its term is committed
  REQUIRE(why(fresh, removing(3)) == reject_reason::leader_too_new);
  CHECK(why(fresh, stale) == reject_reason::stale_configuration);
  CHECK(why(fresh, bad) == reject_reason::invalid_address);

  auto full = settled();
  full.step(disk_space{false}, start);
  REQUIRE(why(full, removing(3)) == reject_reason::disk_full);
  CHECK(why(full, stale) == reject_reason::stale_configuration);
}

TEST_CASE("a learner does not count towards any majority") {
  auto c = test::voters(3);
  c.learners = {{node_id{4}, {}}, {node_id{5}, {}}, {node_id{6}, {}}};
  auto l = elected(state_with(c), {2});
  for (const auto id : {4u, 5u, 6u}) report(l, id, 3);
  CHECK(l.state().commit() == 0);
  report(l, 3, 3);
  CHECK(l.state().commit() == 3);
  // Nor does it keep a leader in office, or confirm a read.
  l.step(read_request{5}, start);
  for (const auto id : {4u, 5u, 6u}) CHECK(report(l, id, 3, 1).reads.empty());
  CHECK(report(l, 2, 3, 1).reads.size() == 1);
  const auto& o = l.state().opts();
  for (const auto id : {4u, 5u, 6u}) report(l, id, 3, 1, o.election_max);
  CHECK(l.step(tick{}, start + o.election_max).next_role);
}

TEST_CASE("a learner's vote does not count") {
  auto c = test::voters(3);
  c.learners = {{node_id{4}, {}}};
  follower f{state_with(c)};
  f.start(start);
  candidate asks{std::move(f)};
  CHECK(asks.start(start).send_now.size() == 2);
  asks.step(rpc{vote_response{test::from(4, 2), true, true}}, start);
  CHECK(asks.state().term() == 1);
}

TEST_CASE("section 4.1: no change before an entry of the leader's term is committed, and one at a time") {
  // Two leaders whose changes start from the same configuration of four could each have their own majority: 1 with 2 if
  // 4 leaves, 3 with 4 if 1 leaves. The second leader must first have replicated an entry of its term to a majority.
  auto state = test::state_with({1, 1}, {1, {}}, 4);
  state.commit_to(2); // the leader before reported that the configuration is committed
  auto l = elected(std::move(state), {2, 3});
  REQUIRE(l.state().configuration_committed());
  const auto refused = l.step(removing(4), start);
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::leader_too_new);
  CHECK_FALSE(refused.write_now);
  report(l, 2, 3);
  report(l, 3, 3);
  CHECK(l.step(removing(4), start).accepted_now.size() == 1);
  CHECK(l.step(removing(3), start).failed_proposals.at(0).why == reject_reason::change_in_progress);
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 4);
  CHECK(l.step(removing(3), start).accepted_now.size() == 1);
}

TEST_CASE("a change is refused if `based_on` is not the current configuration") {
  auto l = settled();
  auto change = adding(4);
  change.based_on = 3;
  CHECK(l.step(change, start).failed_proposals.at(0).why == reject_reason::stale_configuration);
  change.based_on = l.state().log().configuration_index();
  const auto out = l.step(change, start);
  REQUIRE(out.accepted_now.size() == 1);
  CHECK(out.accepted_now[0].index == 4);
  CHECK(started(out) == std::vector{node_id{4}});
}

TEST_CASE("a change needs room on the disk, and a remaining voter") {
  auto l = settled();
  CHECK(l.step(change_members{7, {}, {node_id{1}, node_id{2}, node_id{3}}, 0}, start).failed_proposals.at(0).why ==
        reject_reason::no_voter_left);
  CHECK(l.step(change_members{7, {}, {}, 0}, start).failed_proposals.at(0).why == reject_reason::nothing_to_change);
  CHECK(l.step(adding(2), start).failed_proposals.at(0).why == reject_reason::nothing_to_change);
  CHECK(l.step(disk_space{false}, start).next_role);
  CHECK(l.step(adding(4), start).failed_proposals.at(0).why == reject_reason::disk_full);
}

TEST_CASE("4.2.1: a learner is promoted after a round that took less than an election timeout") {
  auto l = settled();
  const auto& o = l.state().opts();
  l.step(adding(4), start);
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 4);
  report(l, 3, 4);
  REQUIRE(l.state().configuration_committed());
  // A slow round: the next one begins.
  CHECK_FALSE(report(l, 4, 4, 0, o.election_min).write_now);
  // New entries were appended meanwhile: no round ends before the learner has what the log had when the round began.
  l.step(propose{{{8, bytes{"x"}}, {9, bytes{"y"}}}}, start + o.election_min);
  const auto out = report(l, 4, 5, 0, o.election_min + 100ms);
  REQUIRE(out.write_now);
  CHECK(l.state().members().voters.size() == 4);
  CHECK(l.state().members().promotions.empty());
}

TEST_CASE("a learner that kept up once and is silent since is not promoted by a change") {
  auto l = settled();
  l.step(change_members{7, {{{node_id{4}, {}}, false, {}}}, {}, 0}, start);
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 4);
  report(l, 4, 4, 0, 10ms);
  const auto late = start + 10ms + l.state().opts().election_min;
  CHECK(l.step(adding(4), late).accepted_now.size() == 1);
  CHECK(l.state().members().voters.size() == 3);
}

TEST_CASE("a removed peer is notified when it responds, until it knows") {
  auto l = settled();
  l.step(removing(3), start);
  l.step(persisted{test::all_of(l.state())}, start);
  CHECK_FALSE(sent<removed_notice>(report(l, 3, 4))); // its own copy does not count, so nothing is committed
  report(l, 2, 4);
  const auto out = report(l, 3, 4);
  REQUIRE(sent<removed_notice>(out));
  CHECK(sent<removed_notice>(out)->index == 4);
  CHECK_FALSE(out.membership);
  // An answer to an older notice does not acknowledge this one.
  CHECK_FALSE(l.step(rpc{removed_answer{test::from(3, 2), 3}}, start).membership);
  const auto known = l.step(rpc{removed_answer{test::from(3, 2), 4}}, start);
  REQUIRE(known.membership);
  CHECK(known.membership->stop == std::vector{node_id{3}});
  CHECK_FALSE(sent<removed_notice>(report(l, 3, 4)));
}

TEST_CASE("a removed peer that stays silent is dropped in the end") {
  auto l = settled();
  l.step(removing(3), start);
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 4);
  const auto end = start + 10 * l.state().opts().election_max;
  report(l, 2, 4, 0, end - start);
  REQUIRE(l.deadline());
  CHECK(*l.deadline() <= end);
  const auto out = l.step(tick{}, end);
  CHECK_FALSE(out.next_role);
  REQUIRE(out.membership);
  CHECK(out.membership->stop == std::vector{node_id{3}});
  CHECK(*l.deadline() > end);
}

TEST_CASE("a node that is added again before it was notified of its removal is a peer as before") {
  auto l = settled();
  l.step(removing(3), start);
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 4);
  const auto out = l.step(change_members{7, {{{node_id{3}, {}}, false, {}}}, {}, 0}, start);
  REQUIRE(out.accepted_now.size() == 1);
  CHECK(started(out).empty()); // its replicator still exists
  CHECK_FALSE(sent<removed_notice>(report(l, 3, 4)));
  // Its answer to the earlier notice is no longer valid.
  CHECK_FALSE(l.step(rpc{removed_answer{test::from(3, 2), 4}}, start).membership);
  // Nor is it dropped when it has been silent for long.
  l.step(persisted{test::all_of(l.state())}, start);
  report(l, 2, 5);
  REQUIRE(l.state().configuration_committed());
  const auto later = 20 * l.state().opts().election_max;
  report(l, 2, 5, 0, later);
  CHECK_FALSE(l.step(tick{}, start + later).membership);
}

TEST_CASE("4.2.2: a node that an uncommitted entry removes may campaign, but waits its turn") {
  follower f{state_with({{{node_id{2}, {}}}, {}, {}, {}})};
  f.start(start);
  REQUIRE(f.deadline());
  CHECK(*f.deadline() >= start + f.state().opts().election_min);
  follower alone{state_with({{{node_id{1}, {}}}, {}, {}, {}})};
  alone.start(start);
  CHECK(alone.deadline() == start);
}

TEST_CASE("a new leader notifies the nodes that the last change removed") {
  auto c = test::voters(2);
  auto l = elected(state_with(c), {2});
  report(l, 2, 3);
  const auto out = report(l, 3, 0);
  REQUIRE(sent<removed_notice>(out));
  CHECK(sent<removed_notice>(out)->index == 2);
  CHECK(sent<removed_notice>(out)->commit == 3);
}

TEST_CASE("a leader that became a learner transfers its leadership, and is not removed") {
  // It was removed and added again as a learner, by entries that it did not know to be committed when it was elected.
  configuration c{{{node_id{2}, {}}, {node_id{3}, {}}}, {}, {{node_id{1}, {}}}, {}};
  auto l = elected(state_with(c), {2, 3});
  report(l, 2, 3);
  const auto out = report(l, 3, 3);
  REQUIRE(l.state().configuration_committed());
  CHECK_FALSE(out.removed);
  REQUIRE(sent<timeout_now>(out));
  const auto end = start + l.state().opts().election_max;
  report(l, 2, 3, 0, end - start);
  report(l, 3, 3, 0, end - start);
  CHECK(l.step(tick{}, end).next_role);
  CHECK_FALSE(l.state().removed());
}

TEST_CASE("a removed leader steps down if no node can take over") {
  auto l = settled();
  report(l, 3, 3);
  l.step(removing(1), start);
  l.step(persisted{test::all_of(l.state())}, start);
  const auto late = l.state().opts().election_min;
  l.step(peer_report{2, node_id{2}, 4, 0, start}, start + late);
  // The peers responded long ago.
  const auto out = l.step(peer_report{2, node_id{3}, 4, 0, start}, start + late);
  CHECK(out.removed == 4);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  CHECK_FALSE(l.state().may_campaign());
}

TEST_CASE("a change after which no majority would respond is refused") {
  auto l = settled();
  const auto& o = l.state().opts();
  const auto late = o.election_max + std::chrono::milliseconds{1};
  report(l, 2, 3, 0, late); // node 3 has not been heard since the beginning
  const auto refused = l.step(removing(2), start + late);
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::no_majority_left);
  CHECK(l.state().log().last_index() == 3);
  CHECK(l.step(removing(3), start + late).accepted_now.size() == 1);
}

TEST_CASE("a new leader treats no node as responsive that has not responded to it") {
  auto l = settled();
  const auto refused = l.step(removing(2), start);
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::leader_too_new); // node 3 may still respond
  report(l, 3, 3);
  CHECK(l.step(removing(2), start).accepted_now.size() == 1);

  // The same holds for a promotion that needs one voter more than a majority.
  auto c = test::voters(3);
  c.learners = {{node_id{4}, {}}};
  c.promotions = {{node_id{4}, {}}};
  auto grows = elected(state_with(c), {2});
  report(grows, 2, 3);
  REQUIRE(grows.state().commit() == 3);
  for (int i = 1; i < 4; ++i) report(grows, 4, 3, 0, i * std::chrono::milliseconds{1});
  CHECK_FALSE(grows.state().members().is_voter({4}));
  report(grows, 3, 3, 0, std::chrono::milliseconds{5});
  CHECK(grows.state().members().is_voter({4}));
}

TEST_CASE("a learner that replaces no voter is promoted if all voters respond, or one more than a majority") {
  for (const bool all_there : {true, false}) {
    auto l = settled();
    const auto& o = l.state().opts();
    const auto late = o.election_max + std::chrono::milliseconds{1};
    l.step(adding(4), start + late);
    l.step(persisted{test::all_of(l.state())}, start + late);
    report(l, 2, 4, 0, late);
    REQUIRE(l.state().commit() == 4);
    if (all_there) report(l, 3, 4, 0, late);
    for (int i = 1; i < 4; ++i) {
      const auto at = late + i * std::chrono::milliseconds{1};
      report(l, 4, l.state().log().last_index(), 0, at);
      report(l, 2, l.state().log().last_index(), 0, at);
    }
    CHECK(l.state().members().is_voter({4}) == all_there);
    if (all_there) continue;
    report(l, 3, 4, 0, late + std::chrono::milliseconds{9});
    report(l, 4, l.state().log().last_index(), 0, late + std::chrono::milliseconds{10});
    CHECK(l.state().members().is_voter({4}));
  }
}

TEST_CASE("a node that an operator removed learns it, a node that the policy removed does not") {
  for (const bool asked : {true, false}) {
    auto l = settled();
    auto what = removing(3);
    what.asked = asked;
    l.step(what, start);
    l.step(persisted{test::all_of(l.state())}, start);
    report(l, 2, 4);
    REQUIRE(l.state().commit() == 4);
    const auto out = report(l, 3, 4);
    const auto* told = sent<removed_notice>(out);
    REQUIRE(told);
    CHECK(told->dismissed == asked);
  }
}

TEST_CASE("a leader that did not get the request itself also says that an operator asked") {
  auto c = test::voters(2);
  c.dismissed = {{node_id{3}}};
  auto l = elected(state_with(c), {2});
  report(l, 2, 3);
  const auto out = report(l, 3, 0);
  REQUIRE(sent<removed_notice>(out));
  CHECK(sent<removed_notice>(out)->dismissed);
}

} // namespace troupe::raft

// Leadership transfer (Ongaro's thesis, section 3.10), and how nodes react to a notice that they are removed.
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

leader a_leader(std::uint64_t nodes = 3) {
  auto l = test::elected_and_synced(follower{test::state_with({1}, {1, {}}, nodes)}, {2}, start);
  l.step(peer_report{2, node_id{2}, 2, 0, start}, start);
  REQUIRE(l.state().commit() == 2);
  return l;
}

/// Follows node 2 in term 1.
follower a_follower() {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  append_request beat;
  beat.head = test::from(2, 1);
  beat.prev_index = 1;
  beat.prev_term = 1;
  f.step(rpc{beat}, start);
  REQUIRE(f.leader_hint() == node_id{2});
  return f;
}

bool asks(const output& out, std::uint64_t target) {
  for (const auto& message : out.send_now)
    if (const auto* order = std::get_if<timeout_now>(&message)) return order->head.to == node_id{target};
  return false;
}

const transfer_leadership to_3{7, node_id{3}};

} // namespace

TEST_CASE("3.10: the target is asked when it has everything, and again with each response") {
  auto l = a_leader();
  CHECK_FALSE(asks(l.step(to_3, start), 3));
  CHECK_FALSE(asks(l.step(peer_report{2, node_id{3}, 1, 0, start}, start), 3));
  CHECK(asks(l.step(peer_report{2, node_id{3}, 2, 0, start}, start), 3));
  CHECK_FALSE(asks(l.step(peer_report{2, node_id{2}, 2, 0, start}, start), 3));
  CHECK(asks(l.step(peer_report{2, node_id{3}, 2, 0, start}, start), 3));
}

TEST_CASE("3.10: meanwhile nothing new is accepted, but reads are") {
  auto l = a_leader();
  l.step(to_3, start);
  CHECK(l.step(propose{{{8, bytes{"x"}}}}, start).failed_proposals.at(0).why == reject_reason::transferring);
  CHECK(l.step(change_members{9, {}, {node_id{3}}, 0}, start).failed_proposals.at(0).why ==
        reject_reason::transferring);
  CHECK(l.step(transfer_leadership{10, node_id{2}}, start).failed_proposals.at(0).why == reject_reason::transferring);
  l.step(read_request{11}, start);
  CHECK(l.step(peer_report{2, node_id{2}, 2, 1, start}, start).reads.size() == 1);
}

TEST_CASE("3.10: after an election timeout the leader continues") {
  auto l = a_leader();
  const auto end = start + l.state().opts().election_max;
  l.step(to_3, start);
  REQUIRE(l.deadline() == end);
  l.step(peer_report{2, node_id{2}, 2, 0, end}, end);
  const auto out = l.step(tick{}, end);
  CHECK_FALSE(out.next_role);
  REQUIRE(out.failed_transfer);
  CHECK(out.failed_transfer->tag == 7);
  CHECK(out.failed_transfer->why == reject_reason::transfer_failed);
  CHECK(out.failed_transfer->leader == node_id{1});
  CHECK(l.step(propose{{{8, bytes{"x"}}}}, end).accepted_now.size() == 1);
}

TEST_CASE("3.10: the transfer is complete when a higher term appears after the target was asked") {
  auto asked = a_leader();
  asked.step(to_3, start);
  asked.step(peer_report{2, node_id{3}, 2, 0, start}, start);
  vote_request request{test::from(3, 3), 2, 2, false, true};
  const auto out = asked.step(rpc{request}, start);
  REQUIRE(out.next_role);
  CHECK(out.next_role->carry);
  REQUIRE(out.transferred_now);
  CHECK(out.transferred_now->tag == 7);
  CHECK(out.transferred_now->to == node_id{3});
  CHECK_FALSE(out.failed_transfer);

  auto not_asked = a_leader();
  not_asked.step(to_3, start);
  const auto lost = not_asked.step(rpc{append_response{test::from(2, 5)}}, start);
  CHECK_FALSE(lost.transferred_now);
  REQUIRE(lost.failed_transfer);
  CHECK(lost.failed_transfer->why == reject_reason::leadership_lost);
}

TEST_CASE("the target must be a voter; without one the best is chosen; if it already leads, nothing is done") {
  auto l = a_leader();
  CHECK(l.step(transfer_leadership{7, node_id{9}}, start).failed_proposals.at(0).why == reject_reason::unknown_member);
  const auto here = l.step(transfer_leadership{7, node_id{1}}, start);
  CHECK(here.failed_proposals.empty());
  REQUIRE(here.transferred_now);
  CHECK(here.transferred_now->tag == 7);
  CHECK(here.transferred_now->to == node_id{1});
  // 2 has everything, of 3 nothing is known.
  CHECK(asks(l.step(transfer_leadership{7, {}}, start), 2));

  auto forsaken = a_leader();
  const auto late = start + forsaken.state().opts().election_min;
  CHECK(forsaken.step(transfer_leadership{7, {}}, late).failed_proposals.at(0).why == reject_reason::no_successor);
}

TEST_CASE("3.10: the target campaigns at once and says why; a second attempt is like any other") {
  auto f = a_follower();
  CHECK_FALSE(f.step(rpc{timeout_now{test::from(3, 1)}}, start).next_role); // not the leader
  CHECK_FALSE(f.step(rpc{timeout_now{test::from(2, 0)}}, start).next_role); // not of this term
  CHECK_FALSE(f.step(rpc{timeout_now{test::from(2, 2)}}, start).next_role);
  REQUIRE(f.step(rpc{timeout_now{test::from(2, 1)}}, start).next_role);
  candidate c{std::move(f)};
  CHECK(c.start(start).send_now.empty());
  CHECK(c.state().term() == 2);
  const auto out = c.step(persisted{test::all_of(c.state())}, start);
  REQUIRE(out.send_now.size() == 2);
  const auto& request = std::get<vote_request>(out.send_now[0]);
  CHECK_FALSE(request.pre);
  CHECK(request.transfer);
  const auto again = c.step(tick{}, *c.deadline());
  REQUIRE(again.send_now.size() == 2);
  CHECK(std::get<vote_request>(again.send_now[0]).pre);
  CHECK_FALSE(std::get<vote_request>(again.send_now[0]).transfer);
}

TEST_CASE("3.10: a voter votes although it heard the leader recently, and the leader steps down") {
  auto f = a_follower();
  vote_request request{test::from(3, 2), 1, 1, false, false};
  CHECK_FALSE(f.step(rpc{request}, start).write_now);
  request.transfer = true;
  const auto out = f.step(rpc{request}, start);
  REQUIRE(out.send_after_persist.size() == 1);
  CHECK(std::get<vote_response>(out.send_after_persist[0]).granted);

  auto l = a_leader();
  request.head.term = 3;
  CHECK(l.step(rpc{request}, start).next_role);
  auto stays = a_leader();
  request.transfer = false;
  CHECK_FALSE(stays.step(rpc{request}, start).next_role);
}

TEST_CASE("a candidate that is not in the committed configuration gets a response and a notice") {
  auto f = a_follower();
  append_request beat;
  beat.head = test::from(2, 1);
  beat.prev_index = beat.prev_term = beat.commit = 1;
  const auto late = start + f.state().opts().election_max;
  const vote_request question{test::from(9, 2), 5, 1, true, false};
  // Nothing is committed, as far as this node knows, so it sends no notice.
  CHECK(f.step(rpc{question}, late).send_now.size() == 1);
  f.step(rpc{beat}, late);
  const auto later = late + f.state().opts().election_max;
  const auto out = f.step(rpc{question}, later);
  REQUIRE(out.send_now.size() == 2);
  CHECK(std::get<removed_notice>(out.send_now[0]).index == 1);
  CHECK(std::get<removed_notice>(out.send_now[0]).commit == 1);
  CHECK(std::get<vote_response>(out.send_now[1]).granted);
  // A member gets no notice.
  CHECK(f.step(rpc{vote_request{test::from(3, 2), 5, 1, true, false}}, later).send_now.size() == 1);
}

TEST_CASE("a removed node reports its removal once, answers each notice, and no longer campaigns") {
  auto f = a_follower();
  const auto out = f.step(rpc{removed_notice{test::from(2, 1), 4, 9}}, start);
  CHECK(out.removed == 4);
  REQUIRE(out.send_now.size() == 1);
  CHECK(std::get<removed_answer>(out.send_now[0]).index == 4);
  CHECK_FALSE(f.deadline());
  const auto again = f.step(rpc{removed_notice{test::from(3, 1), 4, 9}}, start);
  CHECK_FALSE(again.removed);
  CHECK(again.send_now.size() == 1);
  // It was added again, as its log shows.
  append_request news;
  news.head = test::from(2, 1);
  news.prev_index = news.prev_term = 1;
  for (index_t i = 2; i <= 9; ++i) news.entries.push_back(test::command(i, 1));
  f.step(rpc{news}, start);
  f.step(persisted{test::all_of(f.state())}, start);
  CHECK_FALSE(f.deadline());
  news.prev_index = 9;
  news.entries = {{10, 1, entry_kind::configuration, bytes{encode(test::voters(3))}}};
  f.step(rpc{news}, start);
  CHECK(f.deadline());
  // A late notice has no effect.
  const auto late = f.step(rpc{removed_notice{test::from(2, 1), 4, 9}}, start);
  CHECK((!late.removed && late.send_now.empty() && f.deadline()));
}

TEST_CASE("a configuration that was never committed does not invalidate a notice") {
  // The simulation found this: no leader would truncate it from the log of a removed node.
  auto disk = test::disk_with({1, 1, 1}, {1, {}});
  disk.configurations.push_back({3, 1, entry_kind::configuration, bytes{encode(test::voters(4))}});
  follower f{node_state{node_id{1}, test::cluster, {}, 42, disk}};
  f.start(start);
  CHECK_FALSE(f.step(rpc{removed_notice{test::from(2, 2), 2, 2}}, start).removed);
  CHECK(f.deadline());
  CHECK(f.step(rpc{removed_notice{test::from(2, 2), 2, 3}}, start).removed == 2);
  CHECK_FALSE(f.deadline());
  // Not even if it has the same index as the committed one.
  follower g{node_state{node_id{1}, test::cluster, {}, 42, disk}};
  g.start(start);
  CHECK(g.step(rpc{removed_notice{test::from(2, 2), 3, 3}}, start).removed == 3);
  CHECK_FALSE(g.deadline());
}

TEST_CASE("a notice ends a candidacy unless the candidate's log knows a newer configuration") {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  candidate c{std::move(f)};
  c.start(start);
  CHECK_FALSE(c.step(rpc{removed_notice{test::from(2, 1), 0, 0}}, start).next_role); // its log has it at 1
  const auto out = c.step(rpc{removed_notice{test::from(2, 1), 4, 9}}, start);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  CHECK(out.next_role->carry);
}

TEST_CASE("a leader that was elected without room transfers to the first voter that gets room") {
  auto l = a_leader();
  follower f{std::move(l)};
  f.start(start);
  f.step(disk_space{false}, start);
  candidate c{std::move(f)};
  c.start(start);
  c.step(rpc{vote_response{test::from(2, 3), true, true}}, start);
  c.step(persisted{test::all_of(c.state())}, start);
  c.step(rpc{vote_response{test::from(2, 3), false, true}}, start);
  leader full{std::move(c)};
  full.start(start);
  full.step(persisted{test::all_of(full.state())}, start);
  CHECK_FALSE(asks(full.step(peer_report{3, node_id{2}, 3, 0, start, true}, start), 2));
  CHECK_FALSE(asks(full.step(peer_report{3, node_id{3}, 1, 0, start, false}, start), 3));
  CHECK(asks(full.step(peer_report{3, node_id{2}, 3, 0, start, false}, start), 2));
}

} // namespace troupe::raft

// Raft paper, section 5.2: how votes are counted.
#include "raft/candidate.hpp"

#include "raft/follower.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

/// Node 1 of `nodes`, in term 1, which has won its pre-vote: its vote for itself in term 2 is on the way to its disk.
candidate voting(std::uint64_t nodes) {
  candidate c{follower{test::state_with({1}, {1, {}}, nodes)}};
  c.start(start);
  for (std::uint64_t i = 2; i <= nodes / 2 + 1; ++i) c.step(rpc{vote_response{test::from(i, 2), true, true}}, start);
  REQUIRE(c.state().term() == 2);
  return c;
}

std::vector<vote_request> real_requests(const output& out) {
  std::vector<vote_request> found;
  for (const auto* list : {&out.send_now, &out.send_after_persist})
    for (const auto& message : *list)
      if (const auto* request = std::get_if<vote_request>(&message); request && !request->pre)
        found.push_back(*request);
  return found;
}

/// Node 1 of three, which its leader, node 2, has asked to campaign in term 2.
candidate asked_to_campaign() {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  append_request beat;
  beat.head = test::from(2, 1);
  f.step(rpc{beat}, start);
  f.step(rpc{timeout_now{test::from(2, 1)}}, start);
  REQUIRE(f.asked_to_campaign());
  return candidate{std::move(f)};
}

bool wins(const output& out) { return out.next_role && out.next_role->to == role_kind::leader; }

} // namespace

TEST_CASE("a candidate's own vote counts only when it is on disk") {
  auto c = voting(3);
  auto d = voting(3);
  CHECK(wins(c.step(rpc{vote_response{test::from(2, 2), false, true}}, start)) == false);
  CHECK(wins(c.step(persisted{test::all_of(c.state())}, start)));
  CHECK_FALSE(wins(d.step(persisted{test::all_of(d.state())}, start)));
  CHECK(wins(d.step(rpc{vote_response{test::from(3, 2), false, true}}, start)));
}

TEST_CASE("a candidate sends vote requests once, when its own vote is on disk") {
  auto c = asked_to_campaign();
  CHECK(real_requests(c.start(start)).empty());
  const auto out = c.step(persisted{test::all_of(c.state())}, start);
  c.state().validate(out);
  REQUIRE(real_requests(out).size() == 2);
  CHECK(real_requests(out)[0].transfer);
  CHECK(real_requests(out)[0].head.term == 2);
  CHECK(real_requests(c.step(persisted{test::all_of(c.state())}, start)).empty());
}

TEST_CASE("a late disk does not start an expired election that a leader asked for") {
  const auto limit = options{}.stall_limit();
  for (const bool ticks : {false, true}) {
    auto c = asked_to_campaign();
    c.start(start);
    REQUIRE(c.state().term() == 2);
    auto now = start;
    // The process runs all the time: it is the disk that does not respond.
    for (; now < start + limit; now += limit / 10)
      c.step(rpc{append_request{test::from(3, 1), 0, 0, 0, 0, {}, 0}}, now);
    if (ticks) {
      const auto out = c.step(tick{}, now);
      REQUIRE(out.next_role);
      CHECK(out.next_role->to == role_kind::follower);
      continue;
    }
    const auto out = c.step(persisted{test::all_of(c.state())}, now);
    CHECK(real_requests(out).empty());
    CHECK_FALSE(out.next_role);
  }
}

TEST_CASE("a candidate whose disk has stalled before it starts falls back at once") {
  const auto limit = options{}.stall_limit();
  for (const bool asked : {false, true}) {
    follower f{test::state_with({1}, {1, {}})};
    f.start(start);
    append_request beat;
    beat.head = test::from(2, 1);
    beat.prev_index = beat.prev_term = 1;
    beat.entries = {test::command(2, 1)};
    f.step(rpc{beat}, start);
    // The process runs all the time.
    for (int i = 1; i < 4; ++i) f.step(rpc{beat}, start + i * limit / 4);
    if (asked) REQUIRE(f.step(rpc{timeout_now{test::from(2, 1)}}, start + limit * 9 / 10).next_role);
    candidate c{std::move(f)};
    const auto out = c.start(start + limit);
    c.state().validate(out);
    CHECK(out.disk_stalled == true);
    CHECK_FALSE(out.write_now);
    CHECK(out.send_now.empty());
    REQUIRE(out.next_role);
    CHECK(out.next_role->to == role_kind::follower);
  }
}

TEST_CASE("a vote counts once, in its own term, from a voter") {
  auto c = voting(5);
  c.step(persisted{test::all_of(c.state())}, start);
  CHECK_FALSE(wins(c.step(rpc{vote_response{test::from(2, 2), false, true}}, start)));
  CHECK_FALSE(wins(c.step(rpc{vote_response{test::from(2, 2), false, true}}, start)));
  CHECK_FALSE(wins(c.step(rpc{vote_response{test::from(3, 1), false, true}}, start)));
  CHECK_FALSE(wins(c.step(rpc{vote_response{test::from(9, 2), false, true}}, start)));
  // A late pre-vote grant.
  CHECK_FALSE(wins(c.step(rpc{vote_response{test::from(3, 2), true, true}}, start)));
  CHECK(wins(c.step(rpc{vote_response{test::from(3, 2), false, true}}, start)));
}

TEST_CASE("a late refusal from an older term does not revoke a vote") {
  auto c = voting(3);
  c.step(rpc{vote_response{test::from(2, 2), false, true}}, start);
  c.step(rpc{vote_response{test::from(2, 1), false, false}}, start);
  CHECK(wins(c.step(persisted{test::all_of(c.state())}, start)));
}

TEST_CASE("a leader of the same or a higher term ends the candidacy") {
  append_request beat;
  beat.head = test::from(2, 2);
  auto c = voting(3);
  const auto out = c.step(rpc{beat}, start);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  CHECK(out.next_role->carry);
  auto d = voting(3);
  CHECK(d.step(rpc{vote_response{test::from(2, 5), false, false}}, start).next_role->to == role_kind::follower);
  auto e = voting(3);
  beat.head.term = 1;
  CHECK_FALSE(e.step(rpc{beat}, start).next_role);
}

TEST_CASE("an election without a majority is followed by another pre-vote after a random time") {
  auto c = voting(3);
  const auto& o = c.state().opts();
  CHECK(*c.deadline() >= start + o.election_min);
  CHECK(*c.deadline() <= start + o.election_max);
  const auto out = c.step(tick{}, *c.deadline());
  CHECK(c.state().term() == 2);
  REQUIRE(out.send_now.size() == 2);
  CHECK(std::get<vote_request>(out.send_now[0]).pre);
  CHECK(head_of(out.send_now[0]).term == 3);
}

TEST_CASE("the time when a leader was last heard survives a candidacy") {
  follower f{test::state_with({1}, {1, {}}, 3)};
  append_request beat;
  beat.head = test::from(2, 1);
  f.step(rpc{beat}, start);
  candidate c{std::move(f)};
  c.start(start + std::chrono::seconds{2});
  const follower again{std::move(c)};
  REQUIRE(again.leader_heard() == start);
  CHECK_FALSE(again.leader_hint());
}

TEST_CASE("a candidate that learns of its removal reports it, and responds as a follower") {
  auto c = voting(3);
  const auto out = c.step(rpc{removed_notice{test::from(2, 2), 4, 4}}, start);
  CHECK(out.removed == 4);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  follower f{std::move(c)};
  f.start(start);
  const auto then = f.step(*out.next_role->carry, start);
  CHECK_FALSE(then.removed); // already reported
  f.step(persisted{test::all_of(f.state())}, start);
  CHECK_FALSE(f.deadline());
}

} // namespace troupe::raft

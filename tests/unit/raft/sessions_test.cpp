// What a leader knows about a peer belongs to one process of that peer, and does not count for another one or after
// data loss.
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"
#include "tests/unit/raft/replicator_answers.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using mode = replicator::mode;
using test::say;

const time_point start{std::chrono::seconds{100}};

append_response of(append_response r, std::uint64_t session, std::uint64_t incarnation) {
  r.session = session;
  r.incarnation = incarnation;
  return r;
}

/// Of a leader whose log ends at 10; the peer's process 7 has acknowledged all of it.
replicator agreed() {
  replicator r{{{}, {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  const auto out = r.step(of(say(true, 10), 0, 7), start);
  CHECK(out.report->match == 10);
  CHECK(out.report->session == 0);
  CHECK(r.current_mode() == mode::replicate);
  return r;
}

/// The single request that is sent after the leader answers the fetch for `first`.
append_request asked(replicator& r, index_t first) {
  const auto out = r.step(fetched{first, 1, {}}, start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == first - 1);
  return out.send[0];
}

} // namespace

TEST_CASE("with another process of the peer the replicator starts over, as for a new leader") {
  auto r = agreed();
  auto out = r.step(of(say(true, 10), 0, 8), start);
  // This response answers an old request, so its content is not used.
  CHECK(r.match() == 0);
  CHECK(r.current_mode() == mode::probe);
  REQUIRE(out.report);
  CHECK(out.report->session == 1);
  CHECK(out.report->match == 0);
  CHECK(out.report->ineligible);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  CHECK(asked(r, 11).session == 1);
  // Responses of the previous process no longer count, nor do the new one's responses to earlier requests.
  CHECK_FALSE(r.step(of(say(true, 10), 0, 7), start).report);
  CHECK_FALSE(r.step(of(say(true, 10), 0, 8), start).report);
  CHECK(r.match() == 0);
  out = r.step(of(say(true, 10), 1, 8), start);
  CHECK(out.report->match == 10);
  CHECK(out.report->session == 1);
  CHECK_FALSE(out.report->lost);
  CHECK(r.current_mode() == mode::replicate);
}

TEST_CASE("a process that restarts with less than was acknowledged is served, and the loss is reported") {
  auto r = agreed();
  r.step(of(say(true, 10), 0, 8), start);
  asked(r, 11);
  auto out = r.step(of(say(false, 10, 9), 1, 8), start);
  REQUIRE(out.report);
  REQUIRE(out.report->lost);
  CHECK(*out.report->lost == lost_entries{10, 9});
  CHECK(out.report->session == 2);
  REQUIRE(out.fetch);
  asked(r, out.fetch->first);
  out = r.step(of(say(false, 10, 9), 2, 8), start);
  CHECK_FALSE(out.report->lost); // reported once
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 10);
  out = r.step(fetched{10, 1, {test::command(10, 1)}}, start);
  out = r.step(of(say(true, 9), 2, 8), start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].entries.size() == 1);
  out = r.step(of(say(true, 10), 2, 8), start);
  CHECK(out.report->match == 10);
}

TEST_CASE("a process with the incarnation of the old one and fewer entries is detected by the next request") {
  auto r = agreed();
  auto out = r.step(tick{}, start + options{}.heartbeat);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == 10);
  out = r.step(of(say(false, 10, 4), 0, 7), start);
  // The response may be late: the acknowledgements count until that is clear.
  CHECK(r.match() == 10);
  CHECK_FALSE(out.report->lost);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  CHECK(asked(r, 11).session == 1);
  out = r.step(of(say(false, 10, 4), 1, 7), start);
  CHECK(r.match() == 0);
  CHECK(*out.report->lost == lost_entries{10, 4});
}

TEST_CASE("a late refusal costs one more request, and no acknowledgement") {
  auto r = agreed();
  r.step(of(say(false, 8, 4), 0, 7), start);
  asked(r, 11);
  const auto out = r.step(of(say(true, 10), 1, 7), start);
  CHECK(out.report->match == 10);
  CHECK_FALSE(out.report->lost);
  CHECK(r.current_mode() == mode::replicate);
  // The same response again belongs to an earlier session.
  CHECK_FALSE(r.step(of(say(false, 8, 4), 0, 7), start).report);
}

TEST_CASE("a response of a node in a later term says nothing about its log") {
  auto r = agreed();
  const auto refusal = say(false, 10, 0);
  CHECK_FALSE(r.step(of(refusal, no_session, 8), start).report);
  follower f{test::state_with({1, 1}, {3, {}})};
  f.start(start);
  const auto out = f.step(rpc{append_request{test::from(2, 2), 1, 1, 1, 0, {}, 0}}, start);
  CHECK(std::get<append_response>(out.send_now.at(0)).session == no_session);
}

TEST_CASE("a peer that restarts is sent its snapshot from the beginning") {
  replicator r{{{}, {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(of(say(true, 100, 0, 40), 0, 7), start);
  r.step(snapshot_chunk{test::picture, 0, bytes{"xxxxxxxxxx"}}, start);
  auto answer = test::got(0, 10);
  answer.incarnation = 7;
  REQUIRE(r.step(answer, start).read_chunk->offset == 10);
  r.step(snapshot_chunk{test::picture, 10, bytes{"xxxxxxxxxx"}}, start);
  answer = test::got(10, 20);
  answer.incarnation = 8;
  r.step(answer, start);
  asked(r, 101);
  const auto out = r.step(of(say(true, 100, 0, 40), 1, 8), start);
  REQUIRE(out.read_chunk);
  CHECK_FALSE(out.read_chunk->snapshot);
  CHECK(out.read_chunk->offset == 0);
}

TEST_CASE("a refusal that may be late does not hold up a snapshot transfer") {
  replicator r{{{}, {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(of(say(true, 100, 0, 40), 0, 7), start);
  REQUIRE(r.step(snapshot_chunk{test::picture, 0, bytes{"xxxxxxxxxx"}}, start).send_chunk);
  const auto out = r.step(of(say(false, 90, 80, 40), 0, 7), start);
  // The response to that chunk would belong to the previous session.
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->offset == 0);
  const auto again = r.step(snapshot_chunk{test::picture, 0, bytes{"xxxxxxxxxx"}}, start);
  REQUIRE(again.send_chunk);
  CHECK(again.send_chunk->session == 1);
}

TEST_CASE("a peer that leaves and joins again starts with nothing, despite late reports of what it had") {
  auto l = test::elected(follower{test::state_with({1}, {1, {}})}, {2}, start);
  const auto report = [&](std::uint64_t peer, index_t match, std::uint64_t session = 0) {
    peer_report r{2, node_id{peer}, match, 0, start};
    r.session = session;
    return l.step(r, start);
  };
  const auto commit_with_2 = [&] {
    l.step(persisted{test::all_of(l.state())}, start);
    report(2, l.state().log().last_index());
    REQUIRE(l.state().commit() == l.state().log().last_index());
  };
  commit_with_2();
  CHECK(l.seed_for(node_id{3}).session == 0);
  report(3, 2, 3);
  l.step(change_members{7, {}, {node_id{3}}, 0}, start);
  commit_with_2();
  REQUIRE(l.step(rpc{removed_answer{test::from(3, 2), l.state().log().configuration_index()}}, start).membership);
  l.step(change_members{8, {{{node_id{3}, {}}, true, {}}}, {}, 0}, start);
  commit_with_2();
  const auto first = l.seed_for(node_id{3}).session;
  CHECK(first > 3);
  // The old replicator is not quite gone, and reports again. That must not promote the new member.
  for (int i = 0; i < 5; ++i) report(3, l.state().log().last_index(), 4);
  commit_with_2();
  CHECK_FALSE(l.state().members().is_voter(node_id{3}));
  // The new replicator's first requests carry the new session, and responses to others are ignored.
  replicator fresh{l.seed_for(node_id{3})};
  const auto out = fresh.start(start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].session == first);
  auto late = of(say(true, 2), 0, 7);
  late.head = {test::cluster, node_id{3}, node_id{1}, 2};
  CHECK_FALSE(fresh.step(late, start).report);
  // Its own reports count.
  for (int i = 0; i < 5; ++i) report(3, l.state().log().last_index(), first);
  CHECK(l.state().members().is_voter(node_id{3}));
}

TEST_CASE("acknowledgements of an earlier process do not commit new entries") {
  auto l = test::elected(follower{test::state_with({1}, {1, {}})}, {2}, start);
  l.step(propose{{{5, bytes{"a"}}, {6, bytes{"b"}}}}, start);
  const auto report = [](std::uint64_t session, index_t match, std::optional<lost_entries> lost = {}) {
    peer_report r{2, node_id{2}, match, 0, start};
    r.session = session;
    r.lost = lost;
    return r;
  };
  // The leader's own disk is slow: only the peer has everything.
  l.step(report(0, 4), start);
  const auto out = l.step(report(1, 2, lost_entries{4, 2}), start);
  REQUIRE(out.broken_promises.size() == 1);
  CHECK(out.broken_promises[0].peer == node_id{2});
  CHECK(out.broken_promises[0].what == lost_entries{4, 2});
  l.step(persisted{test::all_of(l.state())}, start);
  CHECK(l.state().commit() == 2);
  // What was committed stays committed, whatever the peer reports then.
  l.step(report(1, 4), start);
  CHECK(l.state().commit() == 4);
  l.step(report(2, 0), start);
  CHECK(l.state().commit() == 4);
  CHECK(l.step(read_request{9}, start).failed_reads.empty());
}

} // namespace troupe::raft

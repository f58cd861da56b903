// A node whose state machines are blocked: an entry replaces their state by a backup that is not on this node's disk.
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

options no_tail() {
  options o;
  o.log_tail = 0;
  return o;
}

template <class Role> output go(Role& r, const event& what, time_point now = start) {
  auto out = r.step(what, now);
  REQUIRE_NOTHROW(r.state().validate(out));
  return out;
}

/// Node 1, whose log is 1/1 2/1 3/1 4/1.
follower a_follower(std::uint64_t nodes = 3) {
  follower f{node_state{node_id{1}, test::cluster, no_tail(), 42, test::disk_with({1, 1, 1, 1}, {1, {}}, nodes)}};
  f.start(start);
  return f;
}
append_request beat(term_t term, index_t commit) { return {test::from(2, term), 4, 1, commit, 0, {}}; }
snapshot_request chunk() { return {test::from(2, 1), {{9, 1}, 100, 0xabc}, 0, bytes{std::string(10, 'x')}, 0}; }
snapshot_stored complete(index_t last) {
  return {node_id{2}, {{9, 1}, 100, 0xabc}, 90, 100, 0, false, snapshot_point{{last, 1}, 1, test::voters(3)}};
}
/// Of five nodes, in term 2, with everything up to its no-op 5/2 committed by nodes 2 and 3.
leader a_leader() {
  auto l = test::elected_and_synced(a_follower(5), {2, 3}, start);
  for (const std::uint64_t peer : {2u, 3u}) l.step(peer_report{2, node_id{peer}, 5, 0, start}, start);
  REQUIRE(l.state().commit() == 5);
  return l;
}

} // namespace

TEST_CASE("follower x state_missing: it acknowledges, requests a snapshot, and releases nothing before that") {
  auto f = a_follower();
  CHECK(go(f, rpc{beat(1, 3)}).commit_to == index_t{3});
  go(f, state_missing{2});
  CHECK(f.state().needs_snapshot() == 2);
  const auto out = go(f, rpc{beat(1, 4)});
  CHECK_FALSE(out.commit_to);
  REQUIRE(out.send_now.size() == 1);
  const auto& ack = std::get<append_response>(out.send_now[0]);
  CHECK(ack.success);
  CHECK(ack.match == 4);
  CHECK(ack.needs_snapshot == 2);
  // Its own snapshots end before the entry, so the log keeps the entry.
  CHECK(go(f, snapshot_taken{{1, 1}, 1}).compact_to == index_t{1});
  // Another node's snapshot that ends there does not help either.
  go(f, rpc{chunk()});
  CHECK_FALSE(go(f, complete(1)).load);
  CHECK(f.state().needs_snapshot() == 2);
  go(f, rpc{chunk()});
  const auto back = go(f, complete(3));
  CHECK(back.load->last.index == 3);
  CHECK(f.state().needs_snapshot() == 0);
  CHECK(f.state().can_apply());
  // Entries that were released once and not applied are released again.
  CHECK(back.commit_to == index_t{4});
}

TEST_CASE("a state reported missing too late does not block: a snapshot already covers it") {
  auto f = a_follower();
  go(f, rpc{beat(1, 2)});
  go(f, rpc{chunk()});
  REQUIRE(go(f, complete(3)).load);
  go(f, state_missing{2});
  CHECK(f.state().can_apply());
  CHECK(f.state().needs_snapshot() == 0);
}

TEST_CASE("an uncommitted entry cannot lack its state") {
  auto f = a_follower();
  go(f, rpc{beat(1, 2)});
  CHECK_THROWS_AS(f.step(state_missing{3}, start), std::logic_error);
}

TEST_CASE("candidate x state_missing: from then on it campaigns later, and others go first") {
  auto f = a_follower();
  go(f, rpc{beat(1, 3)});
  candidate c{std::move(f)};
  c.start(start);
  go(c, state_missing{2});
  CHECK(c.state().needs_snapshot() == 2);
  const auto later = *c.deadline();
  go(c, tick{}, later);
  CHECK(*c.deadline() - later >= c.state().opts().election_min + 2 * c.state().opts().election_max);
}

TEST_CASE("leader x state_missing: it accepts nothing new, confirms reads, and steps down when all have its log") {
  auto l = a_leader();
  const auto soon = start + l.state().opts().election_min / 2;
  go(l, peer_report{2, node_id{4}, 4, 0, soon}, soon);
  CHECK_FALSE(go(l, state_missing{2}, soon).next_role);
  CHECK(l.state().needs_snapshot() == 2);
  const auto refused = go(l, propose{{{7, bytes{"a"}}}}, soon);
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::not_leader);
  CHECK_FALSE(refused.write_now);
  const auto round = go(l, read_request{8}, soon).replicate_now->round;
  go(l, peer_report{2, node_id{2}, 5, round, soon}, soon);
  CHECK(go(l, peer_report{2, node_id{3}, 5, round, soon}, soon).reads.size() == 1);
  // Node 5 has never been heard and is no longer waited for. Node 4 is alive, but could not be elected yet.
  const auto later = start + l.state().opts().election_min + std::chrono::milliseconds{1};
  CHECK_FALSE(go(l, peer_report{2, node_id{2}, 5, round, later}, later).next_role);
  const auto out = go(l, peer_report{2, node_id{4}, 5, round, later}, later);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  follower f{std::move(l)};
  f.start(later);
  CHECK(*f.deadline() - later >= f.state().opts().election_min + 2 * f.state().opts().election_max);
}

TEST_CASE("the wait for a voter that accepts no more of the log is limited") {
  auto l = a_leader();
  go(l, state_missing{2});
  const auto patience = 2 * l.state().opts().election_max;
  const auto hear = [&](std::uint64_t peer, index_t match, duration after) {
    return go(l, peer_report{2, node_id{peer}, match, 0, start + after}, start + after).next_role.has_value();
  };
  const auto nearly = patience - std::chrono::milliseconds{1};
  CHECK_FALSE(hear(4, 4, nearly));
  CHECK_FALSE(hear(2, 5, nearly));
  CHECK(hear(4, 4, patience));
}

TEST_CASE("a leader that no node follows does not step down for others") {
  auto l = a_leader();
  const auto late = start + l.state().opts().election_min + std::chrono::milliseconds{1};
  CHECK_FALSE(go(l, state_missing{2}, late).next_role);
}

} // namespace troupe::raft

// A disk that does not respond: which nodes notice, which node leads, and what may wait for the disk.
#include "raft/role.hpp"

#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;

const time_point start{std::chrono::seconds{100}};
const options defaults;
const duration limit = defaults.stall_limit();

leader a_leader(std::uint64_t nodes = 3) {
  std::vector<std::uint64_t> voters;
  for (std::uint64_t id = 2; id <= nodes / 2 + 1; ++id) voters.push_back(id);
  return test::elected_and_synced(follower{test::state_with({1}, {1, {}}, nodes)}, voters, start);
}

follower a_follower(std::uint64_t leader_id = 2) {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  append_request beat;
  beat.head = test::from(leader_id, 1);
  beat.prev_index = beat.prev_term = 1;
  f.step(rpc{beat}, start);
  REQUIRE(f.leader_hint() == node_id{leader_id});
  return f;
}

append_request entries_for(const follower& f, index_t first, std::size_t count) {
  append_request request;
  request.head = test::from(2, f.state().term());
  request.prev_index = first - 1;
  request.prev_term = 1;
  for (std::size_t i = 0; i < count; ++i) request.entries.push_back(test::command(first + i, 1));
  return request;
}

/// Lets time pass as a shell does, with a tick at each deadline. Returns the outputs.
template <class Role> std::vector<output> run(Role& role, time_point& now, duration time) {
  std::vector<output> seen;
  const auto end = now + time;
  while (role.deadline() && *role.deadline() <= end) {
    now = std::max(now, *role.deadline());
    seen.push_back(role.step(tick{}, now));
    if (seen.back().next_role) return seen;
  }
  now = end;
  return seen;
}

std::optional<bool> stalls(const std::vector<output>& seen) {
  std::optional<bool> last;
  for (const auto& out : seen)
    if (out.disk_stalled) last = out.disk_stalled;
  return last;
}

bool orders(const output& out, std::uint64_t target) {
  for (const auto& message : out.send_now)
    if (const auto* order = std::get_if<timeout_now>(&message)) return order->head.to == node_id{target};
  return false;
}

/// Leads three nodes. Its disk has accepted a write and does not respond. The others respond every 100 ms and have
/// everything.
struct hung_leader {
  leader l;
  time_point now = start;
  std::vector<output> seen;

  explicit hung_leader(std::uint64_t nodes = 3) : l(a_leader(nodes)) { l.step(propose{{{1, bytes{"x"}}}}, now); }
  /// True if it still leads.
  bool beat(std::initializer_list<std::uint64_t> peers, index_t match) {
    now += 100ms;
    for (const auto id : peers) {
      seen.push_back(l.step(peer_report{2, node_id{id}, match, 0, now}, now));
      l.state().validate(seen.back());
      if (seen.back().next_role) return false;
    }
    seen.push_back(l.step(tick{}, now));
    return !seen.back().next_role;
  }
  bool ordered(std::uint64_t target) const {
    return std::any_of(seen.begin(), seen.end(), [&](const output& out) { return orders(out, target); });
  }
};

} // namespace

TEST_CASE("a disk stalls when its oldest write has waited for the limit, and not before") {
  auto f = a_follower();
  auto now = start;
  CHECK_FALSE(f.state().disk_deadline());
  f.step(rpc{entries_for(f, 2, 1)}, now);
  for (index_t i = 3; i < 22; ++i) {
    now += limit / 20;
    CHECK_FALSE(f.step(rpc{entries_for(f, i, 1)}, now).disk_stalled);
    REQUIRE(f.deadline());
  }
  now += limit / 20;
  const auto out = f.step(tick{}, now);
  CHECK(out.disk_stalled == true);
  CHECK(f.state().disk_stalled());
  CHECK(f.state().disk_wait(now) == limit);
  CHECK_FALSE(f.step(tick{}, now).disk_stalled);
  const auto back = f.step(persisted{test::all_of(f.state())}, now);
  CHECK(back.disk_stalled == false);
  CHECK(f.state().disk_wait(now) == 0ms);
}

TEST_CASE("a disk that responds slowly but steadily does not stall") {
  auto f = a_follower();
  auto now = start;
  for (index_t i = 2; i < 20; ++i) {
    f.step(rpc{entries_for(f, i, 1)}, now);
    const durable_mark before{f.state().last_write() - 1, i - 1, 1};
    now += limit / 4;
    CHECK_FALSE(f.step(tick{}, now).disk_stalled);
    if (i > 2) CHECK_FALSE(f.step(persisted{before}, now).disk_stalled);
  }
}

TEST_CASE("the limit is twice the longest election timeout unless it is set") {
  options opts;
  opts.election_max = 700ms;
  CHECK(opts.stall_limit() == 1400ms);
  opts.disk_stall_limit = 900ms;
  CHECK(opts.stall_limit() == 900ms);
}

TEST_CASE("the deadline of every role includes the disk's") {
  auto f = a_follower();
  auto now = start;
  f.step(rpc{entries_for(f, 2, 1)}, now);
  append_request beat = entries_for(f, 3, 0);
  std::vector<output> seen;
  for (int i = 0; i < 30 && !f.state().disk_stalled(); ++i) {
    for (auto& out : run(f, now, 100ms)) seen.push_back(std::move(out));
    seen.push_back(f.step(rpc{beat}, now));
  }
  CHECK(stalls(seen) == true);

  auto l = a_leader(1);
  now = start;
  l.step(propose{{{1, bytes{"x"}}}}, now);
  CHECK(stalls(run(l, now, limit)) == true);
  CHECK(now == start + limit);
}

TEST_CASE("a process that did not run does not blame its disk") {
  auto f = a_follower();
  f.step(rpc{entries_for(f, 2, 1)}, start);
  auto now = start + 10 * limit;
  CHECK_FALSE(f.step(rpc{entries_for(f, 3, 0)}, now).disk_stalled);
  CHECK_FALSE(f.step(persisted{test::all_of(f.state())}, now).disk_stalled);
  // If the disk does stall, that is found one limit later.
  f.step(rpc{entries_for(f, 3, 1)}, now);
  now += 10 * limit;
  f.step(rpc{entries_for(f, 4, 0)}, now);
  for (int i = 0; i < 20; ++i) f.step(rpc{entries_for(f, 4, 0)}, now += limit / 20);
  CHECK(f.state().disk_stalled());
}

TEST_CASE("a leader whose disk hangs transfers at once to a voter that has everything, without using its disk") {
  hung_leader h;
  while (h.now < start + limit - 100ms) REQUIRE(h.beat({2, 3}, 3));
  CHECK_FALSE(h.ordered(2));
  CHECK(h.beat({2, 3}, 3));
  CHECK(h.l.state().disk_stalled());
  CHECK((h.ordered(2) || h.ordered(3)));
  // Entries that are committed without its disk are applied.
  CHECK(h.l.state().commit() == 3);
  CHECK(h.l.step(propose{{{2, bytes{"y"}}}}, h.now).failed_proposals.at(0).why == reject_reason::transferring);
  CHECK(h.l.step(rpc{vote_request{test::from(2, 3), 3, 2, false, true}}, h.now).next_role->to == role_kind::follower);
}

TEST_CASE("a hung leader without a successor steps down if the others are a quorum") {
  hung_leader h;
  // They lack its newest entry.
  while (h.now < start + limit + defaults.election_max - 100ms) REQUIRE(h.beat({2, 3}, 2));
  CHECK_FALSE(h.beat({2, 3}, 2));
  CHECK_FALSE((h.ordered(2) || h.ordered(3)));
  const auto down = h.seen.back().next_role;
  REQUIRE(down);
  CHECK_FALSE(down->carry);
  follower f{std::move(h.l)};
  f.start(h.now);
  CHECK_FALSE(f.deadline());
  CHECK_FALSE(f.step(rpc{timeout_now{test::from(2, 2)}}, h.now).next_role);
  const auto back = f.step(persisted{test::all_of(f.state())}, h.now);
  CHECK(back.disk_stalled == false);
  CHECK(f.deadline());
}

TEST_CASE("a hung leader without which there is no quorum stays, refuses commands and serves reads") {
  hung_leader h{2};
  while (h.now < start + 3 * limit) REQUIRE(h.beat({2}, 3));
  CHECK(h.l.state().disk_stalled());
  CHECK_FALSE(h.ordered(2));
  CHECK(h.l.state().commit() == 2);
  const auto refused = h.l.step(propose{{{2, bytes{"y"}}}}, h.now).failed_proposals;
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].why == reject_reason::disk_stalled);
  change_members change;
  change.tag = 9;
  change.remove = {node_id{2}};
  CHECK(h.l.step(change, h.now).failed_proposals.at(0).why == reject_reason::disk_stalled);
  h.l.step(read_request{5}, h.now);
  CHECK(h.l.step(peer_report{2, node_id{2}, 3, 1, h.now}, h.now).reads.size() == 1);
  // The disk responds: the leader continues.
  const auto out = h.l.step(persisted{test::all_of(h.l.state())}, h.now);
  CHECK(out.disk_stalled == false);
  CHECK(out.commit_to == index_t{3});
  CHECK(h.l.step(propose{{{3, bytes{"z"}}}}, h.now).accepted_now.size() == 1);
}

TEST_CASE("a hung leader that hears no other voter steps down like any other leader") {
  hung_leader h;
  std::vector<output> seen = run(h.l, h.now, limit);
  REQUIRE(seen.back().next_role);
  CHECK(h.now == start + defaults.election_max);
}

TEST_CASE("in a joint configuration both majorities must be able to do without a hung leader") {
  auto disk = test::disk_with({1}, {1, {}}, 3);
  configuration c = test::voters(3);
  c.outgoing = {{node_id{1}, {}}, {node_id{4}, {}}};
  disk.configurations[0].data = bytes{encode(c)};
  follower f{node_state{node_id{1}, test::cluster, {}, 42, disk}};
  f.start(start);
  candidate cand{std::move(f)};
  cand.start(start);
  for (const auto id : {2u, 4u}) cand.step(rpc{vote_response{test::from(id, 2), true, true}}, start);
  cand.step(persisted{test::all_of(cand.state())}, start);
  for (const auto id : {2u, 4u}) cand.step(rpc{vote_response{test::from(id, 2), false, true}}, start);
  hung_leader h;
  h.l = leader{std::move(cand)};
  h.l.start(start);
  // Of the old voters 1 and 4, no majority remains without 1.
  while (h.now < start + 2 * limit) REQUIRE(h.beat({2, 3, 4}, 2));
  CHECK(h.l.state().disk_stalled());
  CHECK_FALSE((h.ordered(2) || h.ordered(3) || h.ordered(4)));
}

TEST_CASE("a leader limits the bytes that its own disk lacks") {
  options opts;
  opts.max_uncommitted_bytes = 1000;
  follower f{node_state{node_id{1}, test::cluster, opts, 42, test::disk_with({1}, {1, {}})}};
  f.start(start);
  candidate c{std::move(f)};
  c.start(start);
  c.step(rpc{vote_response{test::from(2, 2), true, true}}, start);
  c.step(persisted{test::all_of(c.state())}, start);
  c.step(rpc{vote_response{test::from(2, 2), false, true}}, start);
  leader l{std::move(c)};
  l.start(start);
  std::size_t taken = 0;
  reject_reason why{};
  for (tag_t tag = 1; tag <= 100; ++tag) {
    const auto out = l.step(propose{{{tag, bytes{std::string(100, 'x')}}}}, start);
    taken += out.accepted_now.size();
    if (!out.failed_proposals.empty()) why = out.failed_proposals[0].why;
    // The others have everything at once: nothing is uncommitted.
    const auto last = l.state().log().last_index();
    for (const auto id : {2u, 3u}) l.step(peer_report{2, node_id{id}, last, 0, start}, start);
    REQUIRE(l.state().commit() == last);
  }
  CHECK(why == reject_reason::overloaded);
  CHECK(taken > 3);
  CHECK(l.state().unsynced_bytes() < 1000 + 400);
  l.step(persisted{test::all_of(l.state())}, start);
  CHECK(l.state().unsynced_bytes() == 0);
  CHECK(l.step(propose{{{200, bytes{"y"}}}}, start).accepted_now.size() == 1);
}

TEST_CASE("a follower whose disk stalls appends no entries, sends no responses, and does not campaign") {
  auto f = a_follower();
  auto now = start;
  f.step(rpc{entries_for(f, 2, 1)}, now);
  while (!f.state().disk_stalled()) f.step(rpc{entries_for(f, 3, 0)}, now += limit / 20);
  const auto out = f.step(rpc{entries_for(f, 3, 5)}, now);
  CHECK_FALSE(out.write_now);
  CHECK(out.send_now.empty());
  CHECK(out.send_after_persist.empty());
  CHECK(f.state().log().last_index() == 2);
  CHECK_FALSE(f.deadline());
  CHECK_FALSE(f.step(rpc{timeout_now{test::from(2, 1)}}, now).next_role);
  CHECK_FALSE(f.step(tick{}, now + limit).next_role);
  // It keeps following, and reports what it has as soon as its disk responds.
  CHECK(f.leader_hint() == node_id{2});
  f.step(persisted{test::all_of(f.state())}, now);
  const auto answered = f.step(rpc{entries_for(f, 3, 0)}, now);
  REQUIRE(answered.send_now.size() == 1);
  CHECK(std::get<append_response>(answered.send_now[0]).match == 2);
  CHECK(f.deadline());
}

TEST_CASE("no number of elections makes a queue grow behind a stalled disk") {
  auto f = a_follower();
  auto now = start;
  f.step(rpc{entries_for(f, 2, 1)}, now);
  while (!f.state().disk_stalled()) f.step(rpc{entries_for(f, 3, 0)}, now += limit / 20);
  std::size_t writes = 0;
  std::size_t held = 0;
  now += 10 * limit; // no leader was heard recently, so votes are considered
  for (term_t term = 2; term < 2000; ++term) {
    const auto out = f.step(rpc{vote_request{test::from(3, term), 9, term - 1}}, now += 1ms);
    writes += out.write_now.has_value();
    held += out.send_after_persist.size();
  }
  CHECK(writes < 300);
  CHECK(held < 300);
}

TEST_CASE("a candidate whose vote does not reach its disk falls back, and tries again when the disk responds") {
  candidate c{follower{test::state_with({1}, {1, {}})}};
  auto now = start;
  c.start(now);
  c.step(rpc{vote_response{test::from(2, 2), true, true}}, now);
  REQUIRE(c.state().term() == 2);
  output last;
  while (!last.next_role && now < start + 10 * limit) last = c.step(tick{}, now = std::max(now, *c.deadline()));
  REQUIRE(last.next_role);
  CHECK(last.next_role->to == role_kind::follower);
  CHECK(last.disk_stalled == true);
  CHECK(now == start + limit);
  follower f{std::move(c)};
  f.start(now);
  CHECK_FALSE(f.deadline());
  f.step(persisted{test::all_of(f.state())}, now);
  REQUIRE(f.deadline());
  CHECK(f.step(tick{}, *f.deadline()).next_role->to == role_kind::candidate);
}

TEST_CASE("validate: a node whose disk stalls does not campaign") {
  auto f = a_follower();
  auto now = start;
  f.step(rpc{entries_for(f, 2, 1)}, now);
  while (!f.state().disk_stalled()) f.step(rpc{entries_for(f, 3, 0)}, now += limit / 20);
  output out;
  out.next_role = transition{role_kind::candidate, std::nullopt};
  CHECK_THROWS_WITH(f.state().validate(out), Catch::Matchers::Contains("does not campaign"));
}

TEST_CASE("the lag of a node is measured in time, by the commit indexes that it has learned") {
  auto f = a_follower();
  auto now = start;
  auto request = entries_for(f, 2, 2);
  request.commit = 10;
  f.step(rpc{request}, now);
  CHECK(f.state().known_commit() == 10);
  CHECK(f.state().commit() == 3);
  f.step(tick{}, now);
  now += 3s;
  CHECK(f.state().behind_for(now) == 3s);
  // Newer entries do not make it later than that.
  auto more = entries_for(f, 4, 7);
  more.commit = 20;
  f.step(rpc{more}, now);
  CHECK(f.state().behind_for(now) == 0s);
  f.step(tick{}, now);
  CHECK(f.state().behind_for(now + 1s) == 1s);
}

TEST_CASE("a node that receives a snapshot reports that until it continues from its log") {
  auto f = a_follower();
  snapshot_request chunk;
  chunk.head = test::from(2, 1);
  chunk.snapshot = {{50, 1}, 1000, 7};
  CHECK_FALSE(f.state().installing());
  f.step(rpc{chunk}, start);
  CHECK(f.state().installing());
  CHECK(f.state().known_commit() == 50);
  auto probe = entries_for(f, 1, 0);
  probe.prev_term = 0;
  probe.commit = 50;
  REQUIRE(std::get<append_response>(f.step(rpc{probe}, start).send_now.at(0)).success);
  CHECK(f.state().installing());
  f.step(rpc{entries_for(f, 2, 0)}, start);
  CHECK_FALSE(f.state().installing());
}

} // namespace troupe::raft

// Every role with every event about snapshots and disk space: the required outcome, cell by cell.
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

/// Node 1, whose log is 1/1 2/1 3/1, in `term`.
follower a_follower(term_t term = 1, std::uint64_t nodes = 3, options o = no_tail()) {
  follower f{node_state{node_id{1}, test::cluster, o, 42, test::disk_with({1, 1, 1}, {term, {}}, nodes)}};
  f.start(start);
  return f;
}
candidate a_candidate() {
  candidate c{a_follower()};
  c.start(start);
  return c;
}
/// In term 2, with its no-op 4/2 on disk.
leader a_leader(std::uint64_t nodes = 3) {
  std::vector<std::uint64_t> voters;
  if (nodes > 1) voters = {2};
  return test::elected_and_synced(a_follower(1, nodes), voters, start);
}
/// Everything is committed and released.
void commit_all(leader& l) {
  const auto last = l.state().log().last_index();
  l.step(peer_report{l.state().term(), node_id{2}, last, 0, start}, start);
  REQUIRE(l.state().commit() == last);
}

const snapshot_id picture{{9, 1}, 100, 0xabc};

snapshot_request chunk(std::uint64_t leader, term_t term, std::uint64_t offset = 0, std::uint64_t round = 0) {
  return {test::from(leader, term), picture, offset, bytes{std::string(10, 'x')}, round};
}
snapshot_response answer(std::uint64_t peer, term_t term) { return {test::from(peer, term), picture, 0, 10, false, 0}; }
snapshot_stored stored(std::uint64_t leader, std::uint64_t round = 0) {
  return {node_id{leader}, picture, 0, 10, round, false, {}};
}
snapshot_stored complete(std::uint64_t leader, log_position last, std::uint64_t round = 0) {
  return {node_id{leader}, picture, 90, 100, round, false, snapshot_point{last, 1, test::voters(3)}};
}
append_request beat(std::uint64_t leader, term_t term, std::vector<entry> entries = {}) {
  return {test::from(leader, term), 3, 1, 0, 0, std::move(entries)};
}

template <class Message> const Message& only(const std::vector<rpc>& sent) {
  REQUIRE(sent.size() == 1);
  REQUIRE(std::holds_alternative<Message>(sent[0]));
  return std::get<Message>(sent[0]);
}

bool is_empty(const output& o) {
  return !o.write_now && o.send_now.empty() && o.send_after_persist.empty() && !o.commit_to && !o.store_chunk &&
         !o.load && !o.compact_to && !o.next_role && !o.replicate_now && o.failed_proposals.empty() &&
         o.failed_reads.empty() && !o.failed_transfer && o.accepted_now.empty();
}

/// Returns the step's output after checking it against the invariants, as every shell does.
template <class Role> output go(Role& r, const event& what, time_point now = start) {
  auto out = r.step(what, now);
  REQUIRE_NOTHROW(r.state().validate(out));
  return out;
}

} // namespace

TEST_CASE("follower x snapshot_request: one chunk at a time goes to the disk") {
  auto f = a_follower();
  const auto out = go(f, rpc{chunk(2, 1)});
  REQUIRE(out.store_chunk);
  CHECK(out.store_chunk->offset == 0);
  CHECK(f.leader_hint() == node_id{2});
  CHECK(f.deadline() > start);
  // A chunk that arrives while the first is being stored is dropped; after that the next one is accepted.
  CHECK(is_empty(go(f, rpc{chunk(2, 1)})));
  go(f, stored(2));
  CHECK(go(f, rpc{chunk(2, 1, 10)}).store_chunk);
}

TEST_CASE("follower x snapshot_request: in a newer term, in an older one") {
  auto f = a_follower(3);
  const auto refusal = only<snapshot_response>(go(f, rpc{chunk(2, 2)}).send_now);
  CHECK(refusal.failed);
  CHECK(refusal.head.term == 3);
  CHECK_FALSE(f.leader_hint());
  const auto out = go(f, rpc{chunk(2, 4)});
  CHECK(out.write_now->hard == hard_state{4, {}});
  CHECK(out.store_chunk);
}

TEST_CASE("follower x snapshot_response: only its term matters") {
  auto f = a_follower(3);
  CHECK(is_empty(go(f, rpc{answer(2, 3)})));
  const auto out = go(f, rpc{answer(2, 5)});
  CHECK(out.write_now->hard == hard_state{5, {}});
  CHECK_FALSE(out.next_role);
}

TEST_CASE("follower x snapshot_stored: a chunk is answered, a whole snapshot is loaded and then acknowledged") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1, 0, 7)});
  const auto next = only<snapshot_response>(go(f, stored(2, 7)).send_now);
  CHECK(next.next == 10);
  CHECK(next.round == 7);
  CHECK_FALSE(next.failed);
  go(f, rpc{chunk(2, 1, 90, 8)});
  const auto out = go(f, complete(2, {9, 1}, 8));
  CHECK(out.load->last == log_position{9, 1});
  CHECK(out.write_now->reset_to == log_position{9, 1});
  CHECK(out.send_now.empty());
  const auto& ack = only<append_response>(out.send_after_persist);
  CHECK(ack.success);
  CHECK(ack.match == 9);
  CHECK(ack.round == 8);
  CHECK(ack.needs_snapshot == 0);
  CHECK(f.state().commit() == 9);
  CHECK(f.state().log().start() == log_position{9, 1});
}

TEST_CASE("follower x snapshot_stored: a failure is reported, and the next chunk is accepted") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  auto what = stored(2);
  what.failed = true;
  CHECK(only<snapshot_response>(go(f, what).send_now).failed);
  CHECK(go(f, rpc{chunk(2, 1)}).store_chunk);
}

TEST_CASE("follower x snapshot_stored: a snapshot without news is acknowledged and not loaded") {
  auto f = a_follower();
  auto b = beat(2, 1);
  b.commit = 3;
  go(f, rpc{b});
  REQUIRE(f.state().commit() == 3);
  go(f, rpc{chunk(2, 1)});
  const auto out = go(f, complete(2, {2, 1}));
  CHECK_FALSE(out.load);
  CHECK_FALSE(out.write_now);
  CHECK(only<append_response>(out.send_now).match == 2);
}

TEST_CASE("follower x snapshot_stored: a snapshot of a former leader is used, but not answered") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  go(f, rpc{beat(3, 2)});
  const auto out = go(f, complete(2, {9, 1}));
  CHECK(out.load);
  CHECK(out.send_now.empty());
  CHECK(out.send_after_persist.empty());
}

TEST_CASE("follower x snapshot_stored: a round of an older term confirms nothing in a newer one") {
  // Node 2 led, was deposed, and leads again. Its rounds restart, so a round number of its first leadership does not
  // confirm the same number now.
  for (const bool whole : {false, true}) {
    auto f = a_follower();
    go(f, rpc{chunk(2, 1, 0, 7)});
    go(f, rpc{beat(2, 5)});
    go(f, persisted{test::all_of(f.state())});
    const auto out = go(f, whole ? complete(2, {9, 1}, 7) : stored(2, 7));
    CHECK(out.load.has_value() == whole);
    CHECK(out.send_now.empty());
    CHECK(out.send_after_persist.empty());
    // The new leadership's first chunk is accepted and answered as usual.
    CHECK(go(f, rpc{chunk(2, 5, 0, 1)}).store_chunk);
  }
}

TEST_CASE("follower x snapshot_taken: the log is compacted") {
  auto f = a_follower();
  auto b = beat(2, 1);
  b.commit = 2;
  go(f, rpc{b});
  const auto out = go(f, snapshot_taken{{2, 1}, 2});
  CHECK(out.compact_to == index_t{2});
  CHECK(f.state().log().start() == log_position{2, 1});
  CHECK(is_empty(go(f, snapshot_taken{{2, 1}, 2})));
}

TEST_CASE("follower x disk_space: without room it accepts no command, and says so; everything else works") {
  auto f = a_follower();
  CHECK(is_empty(go(f, disk_space{false})));
  go(f, rpc{beat(2, 2)});
  go(f, persisted{test::all_of(f.state())});
  const auto full = only<append_response>(go(f, rpc{beat(2, 2, {test::command(4, 2)})}).send_now);
  CHECK(full.success);
  CHECK(full.match == 3);
  CHECK(full.no_room);
  CHECK(f.state().log().last_index() == 3);
  CHECK(f.leader_hint() == node_id{2});
  // Entries that open a term are accepted, up to the first command after them.
  const auto opened = go(f, rpc{beat(2, 2, {{4, 2, entry_kind::noop, {}}, test::command(5, 2)})});
  CHECK(only<append_response>(opened.send_after_persist).match == 4);
  CHECK(f.state().log().last_index() == 4);
  go(f, disk_space{true});
  auto later = beat(2, 2, {test::command(5, 2)});
  later.prev_index = 4;
  later.prev_term = 2;
  const auto taken = only<append_response>(go(f, rpc{later}).send_after_persist);
  CHECK(taken.match == 5);
  CHECK_FALSE(taken.no_room);
  // Commands that are already in the log need no room.
  go(f, persisted{test::all_of(f.state())});
  go(f, disk_space{false});
  CHECK(only<append_response>(go(f, rpc{later}).send_now).match == 5);
}

TEST_CASE("follower x disk_space: without room a command does not truncate the entry in its place") {
  auto f = a_follower();
  go(f, disk_space{false});
  auto other = beat(2, 2, {test::command(3, 2)});
  other.prev_index = 2;
  const auto out = go(f, rpc{other});
  CHECK(f.state().log().last_index() == 3);
  CHECK(f.state().log().term_at(3) == term_t{1});
  const auto answer = only<append_response>(out.send_after_persist);
  CHECK(answer.success);
  CHECK(answer.match == 2);
  CHECK(answer.no_room);
}

TEST_CASE("a node that starts without room knows it") {
  auto disk = test::disk_with({1}, {1, {}});
  disk.has_room = false;
  CHECK_FALSE(node_state(node_id{1}, test::cluster, no_tail(), 42, disk).has_room());
}

TEST_CASE("candidate x snapshot_request: a leader ends the candidacy, an old one is refused") {
  auto c = a_candidate();
  const auto out = go(c, rpc{chunk(2, 1)});
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
  follower f{std::move(c)};
  f.start(start);
  CHECK(go(f, *out.next_role->carry).store_chunk);
  auto d = a_candidate();
  const auto refused = go(d, rpc{chunk(2, 0)});
  CHECK_FALSE(refused.next_role);
  CHECK(only<snapshot_response>(refused.send_now).failed);
}

TEST_CASE("candidate x snapshot_response: a higher term ends the candidacy") {
  auto c = a_candidate();
  CHECK(is_empty(go(c, rpc{answer(2, 1)})));
  const auto out = go(c, rpc{answer(2, 4)});
  REQUIRE(out.next_role);
  follower f{std::move(c)};
  f.start(start);
  go(f, *out.next_role->carry);
  CHECK(f.state().term() == 4);
}

TEST_CASE("candidate x snapshot_stored: a chunk changes nothing, and the next leader's is accepted") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  candidate c{std::move(f)};
  c.start(start);
  CHECK(is_empty(go(c, stored(2))));
  CHECK(c.state().log().last_index() == 3);
  const auto next = go(c, rpc{chunk(3, 2)});
  follower g{std::move(c)};
  g.start(start);
  CHECK(go(g, *next.next_role->carry).store_chunk);
}

TEST_CASE("candidate x snapshot_stored: a whole snapshot is loaded, and the campaign continues with a longer log") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  candidate c{std::move(f)};
  c.start(start);
  const auto out = go(c, complete(2, {9, 1}));
  CHECK(out.load->last == log_position{9, 1});
  CHECK(out.write_now->reset_to == log_position{9, 1});
  CHECK(out.send_now.empty());
  CHECK(out.send_after_persist.empty());
  CHECK_FALSE(out.next_role);
  CHECK(c.state().commit() == 9);
  go(c, persisted{test::all_of(c.state())});
  go(c, rpc{vote_response{test::from(2, 2), true, true}});
  go(c, persisted{test::all_of(c.state())});
  REQUIRE(go(c, rpc{vote_response{test::from(2, 2), false, true}}).next_role);
  leader l{std::move(c)};
  CHECK(l.start(start).write_now->append.front().index == 10);
}

TEST_CASE("candidate x snapshot_stored: a node that is not a voter in it stops campaigning") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  candidate c{std::move(f)};
  c.start(start);
  auto without = complete(2, {9, 1});
  without.complete->configuration_index = 8;
  std::erase_if(without.complete->members.voters, [](const member& m) { return m.id == node_id{1}; });
  const auto out = go(c, without);
  CHECK(out.load);
  REQUIRE(out.next_role);
  CHECK(out.next_role->to == role_kind::follower);
}

TEST_CASE("a chunk that is being stored survives any number of role changes") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  candidate c{std::move(f)};
  c.start(start);
  const auto next = go(c, rpc{chunk(3, 2)});
  follower g{std::move(c)};
  g.start(start);
  // The disk still stores the first chunk: this one is dropped, as if the network had lost it.
  CHECK_FALSE(go(g, *next.next_role->carry).store_chunk);
  go(g, stored(2));
  CHECK(go(g, rpc{chunk(3, 2)}).store_chunk);
}

TEST_CASE("candidate x snapshot_taken, candidate x disk_space") {
  auto f = a_follower();
  auto b = beat(2, 1);
  b.commit = 3;
  go(f, rpc{b});
  candidate c{std::move(f)};
  c.start(start);
  CHECK(go(c, snapshot_taken{{3, 1}, 3}).compact_to == index_t{3});
  CHECK(is_empty(go(c, disk_space{false})));
  // A node without room lets others campaign first.
  const auto later = *c.deadline();
  go(c, tick{}, later);
  CHECK(*c.deadline() - later >= c.state().opts().election_min + 2 * c.state().opts().election_max);
  // Its vote request names its whole log, although that is empty after the snapshot.
  for (const auto& message : go(c, tick{}, *c.deadline()).send_now) {
    const auto& request = std::get<vote_request>(message);
    CHECK(request.last_index == 3);
    CHECK(request.last_term == 1);
  }
}

TEST_CASE("leader x snapshot_request: a newer leader is followed, an older one refused, two are a bug") {
  auto l = a_leader();
  CHECK(only<snapshot_response>(go(l, rpc{chunk(2, 1)}).send_now).failed);
  CHECK_THROWS_AS(l.step(rpc{chunk(2, 2)}, start), std::logic_error);
  const auto out = go(l, rpc{chunk(2, 3)});
  REQUIRE(out.next_role);
  follower f{std::move(l)};
  f.start(start);
  CHECK(go(f, *out.next_role->carry).store_chunk);
  CHECK(f.leader_hint() == node_id{2});
}

TEST_CASE("leader x snapshot_response: a higher term ends the leadership, others go to the replicator") {
  auto l = a_leader();
  CHECK(is_empty(go(l, rpc{answer(2, 2)})));
  CHECK(go(l, rpc{answer(2, 3)}).next_role->to == role_kind::follower);
}

TEST_CASE("leader x snapshot_stored: from an earlier leader; the disk is free again") {
  auto f = a_follower();
  go(f, rpc{chunk(2, 1)});
  candidate c{std::move(f)};
  c.start(start);
  go(c, rpc{vote_response{test::from(2, 2), true, true}});
  go(c, persisted{test::all_of(c.state())});
  go(c, rpc{vote_response{test::from(2, 2), false, true}});
  leader l{std::move(c)};
  l.start(start);
  CHECK(is_empty(go(l, complete(2, {9, 1}))));
  const auto out = go(l, rpc{chunk(3, 3)});
  follower g{std::move(l)};
  g.start(start);
  CHECK(go(g, *out.next_role->carry).store_chunk);
}

TEST_CASE("leader x snapshot_taken: requests for compacted entries are answered as such, the border is not") {
  auto l = a_leader();
  commit_all(l);
  CHECK(go(l, snapshot_taken{{3, 1}, 3}).compact_to == index_t{3});
  CHECK(l.answer({3, {}, 1000}).compacted);
  CHECK(l.answer({3, {}, 1000}).first == 3);
  const auto border = l.answer({4, {}, 1000});
  CHECK_FALSE(border.compacted);
  CHECK(border.prev_term == 1);
  REQUIRE(border.entries.size() == 1);
  CHECK(border.entries[0].index == 4);
  // A hint with a term from before the border leads to the border, not below.
  const auto hinted = l.answer({5, term_t{0}, 1000});
  CHECK(hinted.first == 4);
  CHECK(hinted.prev_term == 1);
  CHECK(go(l, snapshot_taken{{4, 2}, 4}).compact_to == index_t{4});
  CHECK(l.answer({5, {}, 1000}).prev_term == 2);
  CHECK(l.answer({5, {}, 1000}).entries.empty());
  // The log continues from there.
  const auto out = go(l, propose{{{1, bytes{"a"}}}});
  CHECK(out.accepted_now[0].index == 5);
  go(l, persisted{test::all_of(l.state())});
  go(l, peer_report{2, node_id{2}, 5, 0, start});
  CHECK(l.state().commit() == 5);
}

TEST_CASE("leader x disk_space: it steps down for others; alone, it refuses commands and serves reads") {
  auto l = a_leader();
  go(l, read_request{5});
  const auto out = go(l, disk_space{false});
  CHECK(out.next_role->to == role_kind::follower);
  REQUIRE(out.failed_reads.size() == 1);
  CHECK(out.failed_reads[0].why == reject_reason::leadership_lost);
  auto alone = a_leader(1);
  CHECK_FALSE(go(alone, disk_space{false}).next_role);
  const auto refused = go(alone, propose{{{6, bytes{"a"}}}});
  REQUIRE(refused.failed_proposals.size() == 1);
  CHECK(refused.failed_proposals[0].why == reject_reason::disk_full);
  CHECK_FALSE(refused.write_now);
  CHECK(go(alone, read_request{7}).reads.size() == 1);
  go(alone, disk_space{true});
  CHECK(go(alone, propose{{{8, bytes{"a"}}}}).accepted_now.size() == 1);
}

TEST_CASE("a follower without its state reports that, votes, and never campaigns") {
  recovered disk;
  disk.hard = {3, {}};
  disk.start = {5, 2};
  disk.last_index = 6;
  disk.terms = {{6, 3}};
  disk.state_lost = true;
  follower f{node_state{node_id{1}, test::cluster, no_tail(), 42, disk}};
  f.start(start);
  CHECK_FALSE(f.deadline());
  append_request r{test::from(2, 3), 6, 3, 6, 0, {}};
  const auto out = go(f, rpc{r});
  CHECK_FALSE(out.commit_to);
  CHECK(only<append_response>(out.send_now).needs_snapshot == 5);
  CHECK(only<append_response>(out.send_now).match == 6);
  CHECK_FALSE(f.deadline());
  const auto late = start + std::chrono::seconds{10};
  CHECK(only<vote_response>(go(f, rpc{vote_request{test::from(3, 4), 6, 2, false}}, late).send_after_persist).granted ==
        false);
  CHECK(only<vote_response>(go(f, rpc{vote_request{test::from(3, 5), 6, 3, false}}, late).send_after_persist).granted);
  go(f, persisted{test::all_of(f.state())}, late);
  CHECK_FALSE(f.deadline());
  // A snapshot that ends before its log begins is useless.
  go(f, rpc{chunk(3, 5)}, late);
  CHECK(only<snapshot_response>(go(f, complete(3, {4, 2}), late).send_now).failed);
  go(f, rpc{chunk(3, 5)}, late);
  const auto back = go(f, complete(3, {6, 3}), late);
  CHECK(back.load);
  CHECK(only<append_response>(back.send_now).needs_snapshot == 0);
  CHECK(f.deadline());
}

} // namespace troupe::raft

// How long nodes are known not to be members, and what removed nodes are notified of.
#include "raft/absences.hpp"

#include "raft/membership_rules.hpp"
#include "raft/role.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using std::chrono::seconds;

const time_point start{seconds{1000}};

follower of_two_voters() {
  follower f{node_state{node_id{1}, test::cluster, {}, 42, test::disk_with({1}, {1, {}}, 2)}};
  f.start(start);
  return f;
}

append_request from_leader(index_t prev, std::vector<entry> entries, index_t commit) {
  append_request request;
  request.head = test::from(2, 1);
  request.prev_index = prev;
  request.prev_term = 1;
  request.commit = commit;
  request.entries = std::move(entries);
  return request;
}

entry configured(index_t index, std::uint64_t voters) {
  return {index, 1, entry_kind::configuration, bytes{encode(test::voters(voters))}};
}

/// The notice that `f` sends to node 3 in response to its vote request, if any.
std::optional<removed_notice> told_to_3(follower& f, time_point now) {
  const auto out = f.step(rpc{vote_request{test::from(3, 2), 9, 1, true, false}}, now);
  for (const auto* list : {&out.send_now, &out.send_after_persist})
    for (const auto& message : *list)
      if (const auto* found = std::get_if<removed_notice>(&message)) return *found;
  return std::nullopt;
}

removed_notice notice(index_t index, seconds out_for) {
  removed_notice made{test::from(2, 1), index, 9};
  made.out_for_ms = static_cast<std::uint64_t>(std::chrono::milliseconds{out_for}.count());
  return made;
}

} // namespace

TEST_CASE("a node is absent since its removal was seen, and a node never seen, since the beginning") {
  absences known;
  CHECK(known.out_for(node_id{3}, start) == duration{}); // nothing is known yet
  known.note(test::voters(3), start);
  CHECK(known.out_for(node_id{3}, start + seconds{5}) == duration{});
  CHECK(known.out_for(node_id{4}, start + seconds{5}) == seconds{5});
  known.note(test::voters(2), start + seconds{10});
  CHECK(known.out_for(node_id{3}, start + seconds{12}) == seconds{2});
  known.note(test::voters(2), start + seconds{20});
  CHECK(known.out_for(node_id{3}, start + seconds{22}) == seconds{12});
  known.note(test::voters(3), start + seconds{30});
  CHECK(known.out_for(node_id{3}, start + seconds{32}) == duration{});
  known.note(test::voters(2), start + seconds{40});
  CHECK(known.out_for(node_id{3}, start + seconds{41}) == seconds{1});
}

TEST_CASE("a node that is no longer tracked is never reported absent for longer than it was") {
  absences known;
  const auto with = [](std::uint64_t id) {
    auto c = test::voters(1);
    c.learners = {{node_id{id}, {}}};
    return c;
  };
  auto now = start;
  const auto count = absences::max_kept + 10;
  for (std::uint64_t id = 2; id < 2 + count; ++id) known.note(with(id), now += seconds{1});
  // Node `id` joined at start + id - 1 and left one second later; the last one is still a member.
  for (std::uint64_t id = 2; id < 1 + count; ++id) {
    const auto left = start + seconds{id};
    const auto said = known.out_for(node_id{id}, now);
    CHECK(said <= now - left);
    if (id > 20) CHECK(said == now - left);
  }
  CHECK(known.out_for(node_id{9999}, now) <= now - start);
}

TEST_CASE("a notice states how long the sender knows the absence, across role changes and rolled back configurations") {
  auto f = of_two_voters();
  f.step(rpc{from_leader(1, {configured(2, 3)}, 1)}, start + seconds{1});
  f.step(persisted{test::all_of(f.state())}, start + seconds{1});
  // Node 3 leaves at 10 s; that is committed at 12 s.
  f.step(rpc{from_leader(2, {configured(3, 2)}, 2)}, start + seconds{10});
  f.step(persisted{test::all_of(f.state())}, start + seconds{10});
  CHECK_FALSE(told_to_3(f, start + seconds{11}));
  f.step(rpc{from_leader(3, {}, 3)}, start + seconds{12});
  REQUIRE(told_to_3(f, start + seconds{15}));
  CHECK(told_to_3(f, start + seconds{15})->out_for_ms == 5000);
  // The role changes; the observations remain.
  candidate c{std::move(f)};
  c.start(start + seconds{20});
  follower g{std::move(c)};
  g.start(start + seconds{21});
  REQUIRE(told_to_3(g, start + seconds{30}));
  CHECK(told_to_3(g, start + seconds{30})->out_for_ms == 20000);
}

TEST_CASE("a node that joined and left in one step was seen") {
  auto f = of_two_voters();
  f.step(rpc{from_leader(1, {configured(2, 3), configured(3, 2)}, 3)}, start + seconds{10});
  f.step(persisted{test::all_of(f.state())}, start + seconds{10});
  REQUIRE(told_to_3(f, start + seconds{15}));
  CHECK(told_to_3(f, start + seconds{15})->out_for_ms == 5000);
  // The same if a conflict is truncated first.
  auto g = of_two_voters();
  g.step(rpc{from_leader(1, {configured(2, 2)}, 1)}, start + seconds{5});
  auto other = from_leader(1, {configured(2, 3), configured(3, 2)}, 3);
  other.head.term = 2;
  for (auto& e : other.entries) e.term = 2;
  g.step(rpc{other}, start + seconds{10});
  g.step(persisted{test::all_of(g.state())}, start + seconds{10});
  REQUIRE(told_to_3(g, start + seconds{15}));
  CHECK(told_to_3(g, start + seconds{15})->out_for_ms == 5000);
}

TEST_CASE("a node that may have been a member before a skipped configuration counts as absent since the snapshot") {
  auto f = of_two_voters();
  auto chunk = snapshot_request{test::from(2, 1), {{50, 1}, 10, 0xabc}, 0, bytes{"0123456789"}, 0, 0};
  f.step(rpc{chunk}, start + seconds{10});
  snapshot_stored stored{node_id{2}, chunk.snapshot, 0, 10, 0, false, snapshot_point{{50, 1}, 40, test::voters(2)}};
  REQUIRE(f.step(stored, start + seconds{20}).load);
  f.step(persisted{test::all_of(f.state())}, start + seconds{20});
  REQUIRE(told_to_3(f, start + seconds{25}));
  CHECK(told_to_3(f, start + seconds{25})->out_for_ms == 5000);
}

TEST_CASE("a snapshot replaces an uncommitted configuration by another one at the same index") {
  const auto installed = [](index_t commit) {
    auto f = of_two_voters();
    // Node 3 is a member in the configuration at 2, and leaves with the one at 3, if there is one.
    std::vector<entry> log{configured(2, 3)};
    if (commit == 3) log.push_back(configured(3, 2));
    f.step(rpc{from_leader(1, log, commit)}, start + seconds{10});
    f.step(persisted{test::all_of(f.state())}, start + seconds{10});
    auto chunk = snapshot_request{test::from(2, 1), {{50, 1}, 10, 0xabc}, 0, bytes{"0123456789"}, 0, 0};
    f.step(rpc{chunk}, start + seconds{15});
    const snapshot_point at{{50, 1}, static_cast<index_t>(log.size() + 1), test::voters(2)};
    REQUIRE(f.step(snapshot_stored{node_id{2}, chunk.snapshot, 0, 10, 0, false, at}, start + seconds{20}).load);
    f.step(persisted{test::all_of(f.state())}, start + seconds{20});
    const auto told = told_to_3(f, start + seconds{25});
    REQUIRE(told);
    return told->out_for_ms;
  };
  CHECK(installed(1) == 5000);
  // A committed configuration is the snapshot's: no other one can have been in force in between.
  CHECK(installed(3) == 15000);
}

TEST_CASE("a removed node reports the earliest removal time that it learns, but not repetitions") {
  auto f = of_two_voters();
  const auto first = f.step(rpc{notice(4, seconds{2})}, start + seconds{50});
  CHECK(first.removed == 4);
  CHECK(first.removed_for == seconds{2});
  // The same from the same sender, later.
  CHECK_FALSE(f.step(rpc{notice(4, seconds{3})}, start + seconds{51}).removed);
  // Another sender has known it for longer.
  const auto earlier = f.step(rpc{notice(4, seconds{500})}, start + seconds{52});
  CHECK(earlier.removed == 4);
  CHECK(earlier.removed_for == seconds{500});
  CHECK_FALSE(f.step(rpc{notice(4, seconds{100})}, start + seconds{53}).removed);
  // A broken or hostile message causes no overflow.
  auto absurd = notice(5, seconds{0});
  absurd.out_for_ms = ~std::uint64_t{0};
  CHECK(f.step(rpc{absurd}, start + seconds{54}).removed_for > seconds{3600});
}

TEST_CASE("dismissal is judged by the node's last membership, not by how much of the log it received since") {
  const auto without_1 = [](index_t index, bool dismissed) {
    configuration c;
    c.voters = {{node_id{2}, {}}, {node_id{3}, {}}};
    if (dismissed) c.dismissed = {{node_id{1}, index}};
    return entry{index, 1, entry_kind::configuration, bytes{encode(c)}};
  };
  const auto dismissed = [&](std::vector<entry> log, index_t commit, index_t forgotten = 5) {
    follower f{node_state{node_id{1}, test::cluster, {}, 42, test::disk_with({1}, {1, {}})}};
    f.start(start);
    f.step(rpc{from_leader(1, std::move(log), commit)}, start);
    auto told = notice(70, seconds{1});
    told.commit = 70;
    told.forgotten = forgotten;
    const auto out = f.step(rpc{told}, start + seconds{1});
    REQUIRE(out.removed == 70);
    return out.dismissed;
  };
  // The node left at 3; the configuration there says whether an operator asked for it.
  const entry filler{2, 1, entry_kind::noop, {}};
  std::vector<entry> later;
  for (index_t i = 4; i <= 9; ++i) later.push_back(without_1(i, false));
  auto log = later;
  log.insert(log.begin(), {filler, without_1(3, true)});
  CHECK(dismissed(log, 9));
  log[1] = without_1(3, false);
  CHECK_FALSE(dismissed(log, 9));
  // After the known commit index, the node may have been added and dismissed again.
  CHECK_FALSE(dismissed(log, 9, 9));
  CHECK(dismissed(log, 9, 10));
  // If that configuration is not known to be committed, it may yet be replaced: the node may have been dismissed.
  CHECK(dismissed(log, 2));
}

TEST_CASE("a node that may be among the forgotten dismissals counts as dismissed") {
  for (const index_t forgotten : {index_t{0}, index_t{1}, index_t{2}}) {
    CAPTURE(forgotten);
    follower f{node_state{node_id{1}, test::cluster, {}, 42, test::disk_with({1, 1}, {1, {}})}};
    f.start(start);
    f.step(rpc{from_leader(2, {configured(3, 3)}, 2)}, start); // it was a member at 3
    auto told = notice(7, seconds{1});
    told.forgotten = forgotten;
    CHECK_FALSE(f.step(rpc{told}, start + seconds{1}).dismissed);
  }
  follower f{node_state{node_id{1}, test::cluster, {}, 42, test::disk_with({1, 1}, {1, {}})}};
  f.start(start);
  auto told = notice(70, seconds{1});
  told.commit = 70;
  told.forgotten = 5; // the node knows nothing of what happened up to 5
  CHECK(f.step(rpc{told}, start + seconds{1}).dismissed);
}

} // namespace troupe::raft

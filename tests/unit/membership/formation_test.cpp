// The rules of formation, one by one.
#include "raft/membership/formation.hpp"
#include "raft/membership/introductions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace {

using namespace troupe::raft;

const member one{{1}, "a:1"};
const member two{{2}, "b:1"};
const member three{{3}, "c:1"};

sighted_peer fresh(const member& m) { return {m.id, membership_state::fresh, {}, m.address}; }

peer_sightings sees(std::vector<sighted_peer> peers, std::size_t unanswered = 0) {
  const auto listed = peers.size() + 1;
  return {.peers = std::move(peers), .discovered = true, .listed = listed, .unanswered = unanswered};
}

const sighted_peer of_seven{one.id, membership_state::formed, {7}, one.address};
const sighted_peer of_eight{three.id, membership_state::formed, {8}, three.address};

/// Lets as many ticks pass as a node waits before it asks to join.
void wait_to_join(formation& machine) {
  for (int i = 0; i < 3; ++i) machine.step(tick{});
}

propose_formation of_three(std::uint64_t cluster = 7) { return {{cluster}, one.id, {one, two, three}}; }

/// The output after the view has not changed for a tick.
formation_output settle(formation& machine, const peer_sightings& view) {
  REQUIRE_FALSE(machine.step(view).store); // the other nodes may not see as much yet
  return machine.step(tick{});
}

/// Node 2, which has promised itself to `of_three()`.
formation promised_node() {
  return {two, bootstrap_rule{3}, 1, membership_record{.cluster = {}, .promise = of_three()}};
}

/// Node 1, which sees the others and whose proposal is on disk.
struct proposer {
  formation machine{one, bootstrap_rule{3}, 1, {}};
  propose_formation proposal;
  proposer() {
    const auto out = settle(machine, sees({fresh(two), fresh(three)}));
    REQUIRE(out.store);
    CHECK(out.ask.empty()); // nothing is sent before the proposal is on disk
    proposal = *out.store->promise;
    const auto asked = machine.step(record_synced{});
    CHECK(asked.ask.size() == 2);
  }
  formation_answer yes(const member& m) const { return {proposal.cluster, m.id, true, {}}; }
};

} // namespace

TEST_CASE("a node that expects one forms alone at once", "[formation]") {
  formation f{one, bootstrap_rule{1}, 1, {}};
  const auto proposed = f.start();
  REQUIRE(proposed.store);
  const auto sealed = f.step(record_synced{});
  REQUIRE(sealed.store);
  CHECK(sealed.store->cluster);
  const auto formed = f.step(record_synced{});
  REQUIRE(formed.decided);
  CHECK(formed.decided->initial.voters == std::vector{one});
  CHECK(f.record().state() == membership_state::formed);
}

TEST_CASE("a node that expects none neither proposes nor promises", "[formation]") {
  formation f{two, bootstrap_rule{0}, 1, {}};
  CHECK_FALSE(f.start().store);
  CHECK_FALSE(f.step(sees({})).store);
  const auto out = f.step(of_three());
  CHECK_FALSE(out.store);
  REQUIRE(out.answer.size() == 1);
  CHECK_FALSE(out.answer.front().what.promised);
}

TEST_CASE("an empty discovery does not make a node propose", "[formation]") {
  formation f{one, bootstrap_rule{}, 1, {}};
  CHECK_FALSE(f.start().store);
  CHECK_FALSE(f.step(tick{}).store);
  CHECK_FALSE(f.step(sees({}, 2)).store);
}

TEST_CASE("the lowest of exactly n proposes", "[formation]") {
  const auto seen_by = [](const member& self, const peer_sightings& view) {
    formation machine{self, bootstrap_rule{3}, 1, {}};
    return settle(machine, view);
  };
  CHECK_FALSE(seen_by(two, sees({fresh(one), fresh(three)})).store);
  CHECK_FALSE(seen_by(one, sees({fresh(two)})).store);
  const auto four = fresh({{4}, "d:1"});
  CHECK_FALSE(seen_by(one, sees({fresh(two), fresh(three), four})).store);
  const auto out = seen_by(one, sees({fresh(three), fresh(two)}));
  REQUIRE(out.store);
  CHECK(out.store->promise->members == std::vector{one, two, three});
}

TEST_CASE("without a number the listed nodes count, once all of them respond", "[formation]") {
  formation f{one, bootstrap_rule{}, 1, {}};
  CHECK_FALSE(f.step(sees({fresh(two)}, 1)).store);
  CHECK(settle(f, sees({fresh(two), fresh(three)})).store);
}

TEST_CASE("a promise is answered only when it is on disk", "[formation]") {
  formation f{two, bootstrap_rule{3}, 1, {}};
  const auto first = f.step(of_three());
  REQUIRE(first.store);
  CHECK(first.answer.empty());
  CHECK(f.step(of_three()).answer.empty());
  const auto synced = f.step(record_synced{});
  REQUIRE(synced.answer.size() == 1);
  CHECK(synced.answer.front().what.promised);
  REQUIRE(synced.decided);
  CHECK(synced.decided->initial.empty());
  CHECK(f.step(of_three()).answer.front().what.promised); // asked again: the same answer, no second write
}

TEST_CASE("a promised node makes no other promise", "[formation]") {
  auto f = promised_node();
  const auto out = f.step(of_three(8));
  CHECK_FALSE(out.store);
  CHECK_FALSE(out.answer.front().what.promised);
}

TEST_CASE("a node makes no promise while it knows of a cluster or an address is silent", "[formation]") {
  formation knows{two, bootstrap_rule{3}, 1, {}};
  knows.step(sees({fresh(one), {three.id, membership_state::formed, {9}, "c:1"}}));
  CHECK_FALSE(knows.step(of_three()).store);
  formation waits{two, bootstrap_rule{}, 1, {}};
  waits.step(sees({fresh(one), fresh(three)}, 1));
  CHECK_FALSE(waits.step(of_three()).store);
  formation told{two, bootstrap_rule{3}, 1, {}};
  told.step(sees({fresh(one)}, 1));
  CHECK(told.step(of_three()).store);
}

TEST_CASE("malformed formations are refused", "[formation]") {
  formation f{two, bootstrap_rule{3}, 1, {}};
  for (auto bad :
       {propose_formation{{7}, one.id, {one, three, {{4}, "d:1"}}}, propose_formation{{7}, two.id, {one, two, three}},
        propose_formation{{7}, one.id, {one, two, two}}, propose_formation{{}, one.id, {one, two, three}},
        propose_formation{{7}, one.id, {}}, propose_formation{{7}, one.id, {one, two}}}) {
    const auto out = f.step(bad);
    CHECK_FALSE(out.store);
    REQUIRE(out.answer.size() == 1);
    CHECK_FALSE(out.answer.front().what.promised);
  }
}

TEST_CASE("all promises make the cluster, which is on disk before it is announced", "[formation]") {
  proposer p;
  CHECK_FALSE(p.machine.step(p.yes(two)).store);
  CHECK_FALSE(p.machine.step(p.yes(two)).store);
  const auto last = p.machine.step(p.yes(three));
  REQUIRE(last.store);
  CHECK_FALSE(last.decided);
  const auto out = p.machine.step(record_synced{});
  REQUIRE(out.decided);
  CHECK(out.decided->initial.voters == std::vector{one, two, three});
}

TEST_CASE("a refusal, a lower id or a foreign state ends a node's own formation, first on disk", "[formation]") {
  const auto check = [](proposer& p, const formation_event& what) {
    const auto out = p.machine.step(what);
    REQUIRE(out.store);
    CHECK_FALSE(out.store->promise);
    for (const auto& a : out.abort) CHECK(a.what.cluster != p.proposal.cluster);
    CHECK(p.machine.step(p.yes(three)).store == std::nullopt);
    const auto synced = p.machine.step(record_synced{});
    CHECK(synced.abort.size() == 2);
  };
  proposer refused;
  check(refused, formation_answer{refused.proposal.cluster, two.id, false, "no"});
  proposer lower{};
  check(lower, sees({fresh(two), fresh(three), fresh({{0x0}, "z:1"})}));
  proposer foreign{};
  check(foreign, sees({fresh(two), {three.id, membership_state::promised, {9}, "c:1"}}));
}

TEST_CASE("after all promises nothing ends the formation", "[formation]") {
  proposer p;
  p.machine.step(p.yes(two));
  REQUIRE(p.machine.step(p.yes(three)).store);
  CHECK_FALSE(p.machine.step(sees({{three.id, membership_state::promised, {9}, "c:1"}})).store);
  CHECK_FALSE(p.machine.step(formation_answer{p.proposal.cluster, two.id, false, "no"}).store);
  CHECK(p.machine.step(record_synced{}).decided);
}

TEST_CASE("a proposer resumes its formation after a restart", "[formation]") {
  formation f{one, bootstrap_rule{3}, 2, {.cluster = {}, .promise = of_three()}};
  const auto out = f.start();
  CHECK(out.ask.size() == 2);
  CHECK(out.ask.front().what == of_three());
  formation done{one, bootstrap_rule{3}, 2, {.cluster = {7}, .promise = of_three()}};
  REQUIRE(done.start().decided);
  CHECK(done.start().decided->initial.voters.size() == 3);
}

TEST_CASE("only its proposer's abort ends a promise", "[formation]") {
  auto f = promised_node();
  CHECK_FALSE(f.step(abort_formation{{7}, three.id}).store);
  CHECK_FALSE(f.step(abort_formation{{8}, one.id}).store);
  const auto out = f.step(abort_formation{{7}, one.id});
  REQUIRE(out.store);
  CHECK_FALSE(out.store->promise);
  const auto synced = f.step(record_synced{});
  REQUIRE(synced.decided);
  CHECK(synced.decided->withdrawn);
}

TEST_CASE("a formed node keeps no formation and ignores aborts", "[formation]") {
  auto f = promised_node();
  REQUIRE(f.step(formed_now{{7}}).store);
  f.step(record_synced{});
  CHECK(f.record().state() == membership_state::formed);
  // Its log holds the first configuration, so the proposer had every promise, and will not ask for this one again.
  CHECK_FALSE(f.record().promise);
  CHECK_FALSE(f.step(formed_now{{7}}).store);
  CHECK_FALSE(f.step(abort_formation{{7}, one.id}).store);
  CHECK_FALSE(f.step(of_three(8)).answer.front().what.promised);
  CHECK_FALSE(f.step(of_three(7)).answer.front().what.promised);
}

TEST_CASE("a promise for which no proposer waits is aborted", "[formation]") {
  formation f{one, bootstrap_rule{0}, 1, {}};
  const auto out = f.step(sees({{two.id, membership_state::promised, {7}, "b:1"}}));
  REQUIRE(out.abort.size() == 1);
  CHECK(out.abort.front().to == two.id);
  CHECK(out.abort.front().what.cluster == cluster_id{7});
}

TEST_CASE("a promise decodes as it was encoded, and other bytes do not decode", "[formation]") {
  const auto bytes = encode(of_three());
  CHECK(decode_promise(bytes) == of_three());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_FALSE(decode_promise(std::string_view{bytes}.substr(0, cut)));
  CHECK_FALSE(decode_promise(bytes + "x"));
  auto other = bytes;
  other[0] = 3;
  CHECK_FALSE(decode_promise(other));
  // The format before there were backups is eight bytes shorter.
  auto old = bytes.substr(0, bytes.size() - 8);
  old[0] = 1;
  CHECK(decode_promise(old) == of_three());
  auto restoring = of_three();
  restoring.backup = 0xb;
  CHECK(decode_promise(encode(restoring)) == restoring);
}

namespace {

constexpr std::uint64_t the_backup = 0xb;

sighted_peer with_backup(const member& m, std::uint64_t backup) {
  auto peer = fresh(m);
  peer.backup = backup;
  return peer;
}

propose_formation restoring_three() {
  auto proposal = of_three();
  proposal.backup = the_backup;
  return proposal;
}

membership_record sealed(const propose_formation& promise) {
  return {.cluster = promise.cluster, .promise = promise, .restored = promise.backup};
}

} // namespace

TEST_CASE("the proposer includes the backup that any node was given in the formation", "[formation]") {
  formation without{one, bootstrap_rule{3}, 1, {}};
  CHECK(settle(without, sees({fresh(two), with_backup(three, the_backup)})).store->promise->backup == the_backup);
  formation with{one, bootstrap_rule{3, the_backup}, 1, {}};
  CHECK(settle(with, sees({fresh(two), fresh(three)})).store->promise->backup == the_backup);
  formation both{one, bootstrap_rule{3, the_backup}, 1, {}};
  CHECK(settle(both, sees({with_backup(two, the_backup), fresh(three)})).store->promise->backup == the_backup);
  formation none{one, bootstrap_rule{3}, 1, {}};
  CHECK(settle(none, sees({fresh(two), fresh(three)})).store->promise->backup == 0);
}

TEST_CASE("conflicting backups raise an alarm, and no node proposes", "[formation]") {
  const auto check = [](const member& self, std::uint64_t own, const peer_sightings& view) {
    formation machine{self, bootstrap_rule{3, own}, 1, {}};
    const auto out = settle(machine, view);
    CHECK_FALSE(out.store);
    CHECK(out.alarm);
    CHECK(out.note.find("the backup 000000000000000b") != std::string::npos);
    CHECK(out.note.find("the backup 000000000000000c") != std::string::npos);
  };
  check(one, the_backup, sees({with_backup(two, 0xc), fresh(three)}));
  check(two, 0xc, sees({with_backup(one, the_backup), fresh(three)}));
  check(one, 0, sees({with_backup(two, 0xc), with_backup(three, the_backup)}));
  // Also before all nodes are there.
  check(three, 0, sees({with_backup(two, 0xc), with_backup(one, the_backup)}, 1));
}

TEST_CASE("a node with a backup refuses a formation without it, one without a backup accepts any", "[formation]") {
  const auto answer = [](std::uint64_t own, const propose_formation& asked) {
    formation machine{two, bootstrap_rule{3, own}, 1, {}};
    const auto out = machine.step(asked);
    return out.store ? std::string{} : out.answer.front().what.reason;
  };
  CHECK(answer(the_backup, restoring_three()).empty());
  CHECK(answer(0, restoring_three()).empty());
  CHECK(answer(the_backup, of_three()).find("the backup 000000000000000b") != std::string::npos);
  CHECK_FALSE(answer(0xc, restoring_three()).empty());
}

TEST_CASE("a restored cluster begins only on nodes that have its backup", "[formation]") {
  const auto begins = [](const member& self, std::uint64_t own, const propose_formation& promise) {
    formation machine{self, bootstrap_rule{3, own}, 1, sealed(promise)};
    const auto decided = machine.start().decided;
    REQUIRE(decided);
    if (decided->initial.empty())
      CHECK(decided->backup == 0);
    else
      CHECK(decided->backup == promise.backup);
    return !decided->initial.empty();
  };
  CHECK(begins(one, the_backup, restoring_three()));
  CHECK(begins(two, the_backup, restoring_three()));
  CHECK_FALSE(begins(one, 0, restoring_three()));
  CHECK_FALSE(begins(two, 0, restoring_three()));
  CHECK_FALSE(begins(one, 0xc, restoring_three()));
  CHECK(begins(one, 0, of_three()));
  CHECK_FALSE(begins(two, 0, of_three()));
}

TEST_CASE("a promised node that has the backup begins when it sees the cluster formed", "[formation]") {
  formation f{two, bootstrap_rule{3, the_backup}, 1, {.cluster = {}, .promise = restoring_three()}};
  const auto promised = f.start();
  REQUIRE(promised.decided);
  CHECK(promised.decided->backup == 0);
  CHECK(promised.decided->initial.empty());
  // Neither the proposer's promise nor another cluster shows that every promise is made.
  CHECK_FALSE(f.step(sees({{one.id, membership_state::promised, {7}, one.address}, fresh(three)})).store);
  CHECK_FALSE(f.step(sees({{one.id, membership_state::formed, {8}, one.address}, fresh(three)})).store);
  const auto seen = f.step(sees({{one.id, membership_state::formed, {7}, one.address}, fresh(three)}));
  REQUIRE(seen.store);
  CHECK(seen.store->cluster == cluster_id{7});
  CHECK(seen.store->promise);
  CHECK_FALSE(seen.decided);
  const auto out = f.step(record_synced{});
  REQUIRE(out.decided);
  CHECK(out.decided->backup == the_backup);
  CHECK(out.decided->initial.voters == std::vector{one, two, three});
  // A node without the backup waits for the state instead.
  formation without{two, bootstrap_rule{3}, 1, {.cluster = {}, .promise = restoring_three()}};
  without.start();
  CHECK_FALSE(without.step(sees({{one.id, membership_state::formed, {7}, one.address}, fresh(three)})).store);
}

TEST_CASE("the backup that a cluster was restored from is recorded for good", "[formation]") {
  formation f{two, bootstrap_rule{3}, 1, {.cluster = {}, .promise = restoring_three()}};
  const auto formed = f.step(formed_now{{7}});
  REQUIRE(formed.store);
  CHECK(formed.store->restored == the_backup);
  CHECK_FALSE(formed.store->promise);
  formation proposer{one, bootstrap_rule{3, the_backup}, 1, sealed(restoring_three())};
  CHECK(proposer.step(formed_now{{7}}).store->restored == the_backup);
}

TEST_CASE("an invitation is a promise that only a fresh node makes; the node then asks to join until it is stopped",
          "[formation]") {
  formation f{two, bootstrap_rule{0}, 1, {}};
  f.start();
  const auto out = f.step(invited{{7}, one.id});
  REQUIRE(out.store);
  REQUIRE(f.step(record_synced{}).decided);
  CHECK(f.record().state() == membership_state::promised);
  CHECK(f.wants_to_join());
  CHECK_FALSE(f.step(invited{{8}, three.id}).store); // it already has one
  f.step(set_wants_to_join{false});                  // removed on purpose while it was joining
  CHECK_FALSE(f.wants_to_join());
  f.step(set_wants_to_join{true});
  CHECK(f.wants_to_join());
  // A new process asks again.
  formation again{two, bootstrap_rule{0}, 1, f.record()};
  CHECK(again.start().decided);
  CHECK(again.wants_to_join());
  REQUIRE(again.step(formed_now{{7}}).store);
  again.step(record_synced{});
  CHECK_FALSE(again.wants_to_join());
  again.step(set_wants_to_join{true});
  CHECK(again.wants_to_join());

  CHECK_FALSE(formation(two, bootstrap_rule{0}, 1, {}).step(invited{{7}, two.id}).store);
  formation restoring{two, bootstrap_rule{0, the_backup}, 1, {}};
  CHECK_FALSE(restoring.step(invited{{7}, one.id}).store); // it was given a backup to begin with
  auto promised = promised_node();
  CHECK_FALSE(promised.step(invited{{8}, one.id}).store);
  CHECK_FALSE(promised.wants_to_join());
}

TEST_CASE("a joining node asks no cluster while it sees more than one", "[formation]") {
  formation f{two, bootstrap_rule{0}, 1, {}};
  f.start();
  f.step(sees({of_seven, of_eight}));
  wait_to_join(f);
  CHECK_FALSE(f.wants_to_join());
  CHECK(f.step(tick{}).note.find("more than one cluster") != std::string::npos);
  f.step(sees({of_eight}));
  CHECK_FALSE(f.wants_to_join());
  wait_to_join(f);
  CHECK(f.wants_to_join());
  f.step(sees({of_seven, of_eight}));
  CHECK_FALSE(f.wants_to_join());
}

TEST_CASE("a joining node waits before it asks, since either of two clusters may be the first to respond",
          "[formation]") {
  formation f{two, bootstrap_rule{0}, 1, {}};
  f.start();
  CHECK_FALSE(f.wants_to_join());
  wait_to_join(f);
  CHECK_FALSE(f.wants_to_join()); // no cluster is in view
  f.step(sees({of_seven}));
  CHECK_FALSE(f.wants_to_join());
  f.step(tick{});
  f.step(tick{});
  CHECK_FALSE(f.wants_to_join());
  f.step(sees({of_seven, of_eight}));
  wait_to_join(f);
  CHECK_FALSE(f.wants_to_join());
}

TEST_CASE("members that come and go do not keep a node from asking their cluster", "[formation]") {
  formation f{two, bootstrap_rule{0}, 1, {}};
  f.start();
  const sighted_peer other{{4}, membership_state::formed, {7}, "d:1"};
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(f.wants_to_join());
    f.step(i % 2 == 0 ? sees({of_seven, fresh(three)}) : sees({of_seven, other}, 1));
    f.step(tick{});
  }
  CHECK(f.wants_to_join());
}

TEST_CASE("a node counts introduced nodes, and waits until it is linked to them", "[formation]") {
  formation machine{one, bootstrap_rule{3}, 1, {}};
  auto introducer = fresh(two);
  introducer.introduces = {one, two, three}; // the node itself and linked nodes are not counted twice
  CHECK_FALSE(settle(machine, sees({introducer})).store);
  const auto waiting = machine.step(tick{});
  CHECK(waiting.note.find(to_string(three.id)) != std::string::npos);
  CHECK(settle(machine, sees({introducer, fresh(three)})).store);
  // One node too many, which only another node sees.
  formation crowded{one, bootstrap_rule{3}, 1, {}};
  introducer.introduces.push_back({{4}, "d:1"});
  CHECK_FALSE(settle(crowded, sees({introducer, fresh(three)})).store);
  CHECK(crowded.step(tick{}).note.find("4 nodes") != std::string::npos);
}

TEST_CASE("a node does not promise itself to a formation without a node that was introduced to it", "[formation]") {
  formation machine{two, bootstrap_rule{3}, 1, {}};
  auto introducer = fresh(three);
  introducer.introduces = {{{9}, "z:1"}};
  machine.step(sees({fresh(one), introducer}));
  const auto refused = machine.step(of_three());
  REQUIRE(refused.answer.size() == 1);
  CHECK_FALSE(refused.answer[0].what.promised);
  // A member introduces no nodes, and its introductions do not count.
  auto settled = of_seven;
  settled.introduces = {{{9}, "z:1"}};
  CHECK(introduced_to(two.id, {settled}).empty());
  CHECK(introductions(membership_state::formed, {fresh(one)}).empty());
  CHECK(introductions(membership_state::promised, {fresh(one), of_eight}) == std::vector<member>{one});
}

TEST_CASE("a proposer gives up when one node too many is introduced, as when it sees one", "[formation]") {
  proposer p;
  auto introducer = fresh(two);
  introducer.introduces = {one, two, three};
  CHECK_FALSE(p.machine.step(sees({introducer, fresh(three)})).store); // these are the members
  introducer.introduces.push_back({{4}, "d:1"});
  const auto out = p.machine.step(sees({introducer, fresh(three)}));
  REQUIRE(out.store);
  CHECK_FALSE(out.store->promise);
  CHECK(out.note.find(to_string(node_id{4})) != std::string::npos);
}

TEST_CASE("a promise on disk is confirmed even if it would be refused now", "[formation]") {
  auto old = of_three();
  old.members[2].address = "c 1"; // an earlier version accepted any address
  formation machine{two, bootstrap_rule{3}, 1, membership_record{.cluster = {}, .promise = old}};
  machine.start();
  const auto out = machine.step(old);
  REQUIRE(out.answer.size() == 1);
  CHECK(out.answer[0].what.promised);
  CHECK_FALSE(out.store);
  // But not while it is being withdrawn.
  machine.step(abort_formation{old.cluster, old.proposer});
  const auto ending = machine.step(old);
  REQUIRE(ending.answer.size() == 1);
  CHECK_FALSE(ending.answer[0].what.promised);
}

TEST_CASE("introductions are bounded, and invalid addresses are not dialed", "[formation]") {
  auto talker = fresh(one);
  for (std::uint64_t id = 100; id < 100 + 10 * max_introduced; ++id) talker.introduces.push_back({{id}, "x:1"});
  auto other = talker;
  other.node = two.id;
  for (auto& m : other.introduces) m.id.value += 10000;
  CHECK(introduced_to(three.id, {talker, other}).size() == max_introduced);
  std::vector<sighted_peer> crowd;
  for (std::uint64_t id = 100; id < 100 + 2 * max_introduced; ++id) crowd.push_back(fresh({{id}, "x:1"}));
  CHECK(introductions(membership_state::fresh, crowd).size() == max_introduced);
  talker.introduces = {{{5}, "nowhere"}, {{0}, "x:1"}, {{6}, std::string(100'000, 'a')}};
  CHECK(introduced_to(three.id, {talker}).empty());
}

TEST_CASE("a formation with an invalid address is refused", "[formation]") {
  formation machine{two, bootstrap_rule{3}, 1, {}};
  machine.step(sees({fresh(one), fresh(three)}));
  auto bad = of_three();
  bad.members[2].address = "c 1";
  const auto out = machine.step(bad);
  REQUIRE(out.answer.size() == 1);
  CHECK_FALSE(out.answer[0].what.promised);
}

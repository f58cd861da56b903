// Changes of the cluster itself: they are no commands for a service, and the leader's role decides on them.
#include "tests/actor/proxy_world.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

raft::change_members replaced_member() { return {0, {{{{4}, "n4:1"}, true, {3}}}, {{5}}, 7}; }

} // namespace

TEST_CASE("the leader's proxy passes a change to its role, and its entry decides the outcome") {
  proxy_world w;
  w.lead();
  w.ask_for_change(1, replaced_member());
  CHECK(w.log->proposals.empty());
  REQUIRE(w.log->changes.size() == 1);
  const auto& asked = w.log->changes.front();
  CHECK(asked.add.size() == 1);
  CHECK(asked.remove.size() == 1);
  CHECK(asked.based_on == 7);
  CHECK(asked.asked);
  w.accept(asked.tag, 5);
  CHECK(w.answers(1) == 0);
  w.apply(5);
  CHECK(w.code(1) == errc::none);
  CHECK(w.only_answer(1).outcome.index == 5);
}

TEST_CASE("the leader's proxy passes a transfer to its role, and answers with the new leader") {
  proxy_world w;
  w.lead();
  w.ask_for_change(1, raft::transfer_leadership{0, other_peer});
  REQUIRE(w.log->transfers.size() == 1);
  CHECK(w.log->transfers.front().target == other_peer);
  w.tell(raft::transferred{w.log->transfers.front().tag, other_peer});
  CHECK(w.code(1) == errc::none);
  CHECK(w.only_answer(1).outcome.payload == to_string(other_peer));
}

TEST_CASE("the refusal of a change arrives with its reason") {
  proxy_world w;
  w.lead();
  w.ask_for_change(1, replaced_member());
  w.fail(w.log->changes.front().tag, raft::reject_reason::unknown_member);
  CHECK(w.code(1) == errc::refused);
}

TEST_CASE("a change that adds a member without an address is refused before it reaches the role") {
  proxy_world w;
  w.lead();
  auto change = replaced_member();
  change.add.front().who.address.clear();
  w.ask_for_change(1, change);
  CHECK(w.code(1) == errc::refused);
  CHECK(w.log->changes.empty());
}

TEST_CASE("a change without an answer is unknown at its deadline") {
  proxy_world w;
  w.lead();
  w.ask_for_change(1, replaced_member(), 100);
  w.advance(200ms);
  CHECK(w.code(1) == errc::outcome_unknown);
}

TEST_CASE("changes and commands are forwarded to the leader together") {
  proxy_world w;
  const auto leader = w.link(peer);
  w.ask(1);
  w.ask_for_change(2, replaced_member());
  CHECK(leader->batches.empty());
  w.follow(1, peer);
  REQUIRE(leader->batches.size() == 1);
  const auto& batch = leader->batches.front();
  CHECK(batch.forwarded);
  REQUIRE(batch.commands.size() == 1);
  REQUIRE(batch.changes.size() == 1);
  CHECK(batch.changes.front().number != batch.commands.front().number);
  CHECK(batch.changes.front().timeout_ms > 0);
  CHECK(std::get<raft::change_members>(batch.changes.front().what).based_on == 7);
  w.outcome(batch.changes.front().number, errc::none);
  CHECK(w.code(2) == errc::none);
  CHECK(w.answers(1) == 0);
}

TEST_CASE("a change that another node's proxy sends is retried by that proxy") {
  proxy_world w;
  w.tell(members_changed{{{peer, "n2:1"}}});
  w.follow(1, peer);
  test::send_as(w.origin, w.subject, command_batch{true, {}, {{1, 1000, replaced_member()}}});
  w.settle();
  CHECK(w.code(1) == errc::not_leader);
}

TEST_CASE("changes count for the limits of the proxy by their size") {
  proxy_options options;
  options.max_command_bytes = 1000;
  proxy_world w{me, options};
  w.lead();
  auto change = replaced_member();
  change.remove.resize(200, node_id{9});
  w.ask_for_change(1, change);
  CHECK(w.code(1) == errc::too_large);
  CHECK(w.log->changes.empty());
}

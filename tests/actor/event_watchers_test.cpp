// The log of a node's events: the leader, changes of members, and whether a majority answers.
#include "runtime/event_watchers.hpp"
#include "tests/actor/captured_log.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using raft::peer_state;
using raft::role_kind;

namespace {

raft::configuration three() {
  raft::configuration c;
  c.voters = {{{1}, "n1:1"}, {{2}, "n2:1"}, {{3}, "n3:1"}};
  return c;
}

struct world {
  testing::captured_log log;
  event_watchers events{node_id{1}};

  world() {
    events.on_members(three(), 1);
    events.on_role(role_kind::follower, 0);
    log.take();
  }
};

} // namespace

TEST_CASE("logs the leader, and a lost leader, with their addresses") {
  world w;
  w.events.on_leader({2}, 3);
  CHECK(w.log.take() == "info: node 0000000000000002 (n2:1) leads in term 3\n");
  w.events.on_leader({2}, 3);
  CHECK(w.log.take().empty());
  w.events.on_leader({}, 4);
  CHECK(w.log.take() == "warning: lost the leader, node 0000000000000002 (n2:1), in term 4: electing another one\n");
  w.events.on_role(role_kind::candidate, 5);
  w.events.on_role(role_kind::follower, 5);
  w.events.on_role(role_kind::candidate, 6);
  CHECK(w.log.take() == "info: this node, 0000000000000001, campaigns in term 5\n");
}

TEST_CASE("logs once that this node no longer leads") {
  world w;
  w.events.on_role(role_kind::leader, 2);
  w.events.on_leader({1}, 2);
  w.log.take();
  w.events.on_role(role_kind::follower, 3);
  w.events.on_leader({}, 3);
  CHECK(w.log.take() == "warning: this node, 0000000000000001, stepped down and no longer leads in term 3\n");
}

TEST_CASE("logs the nodes that join, become voters and leave, with their addresses") {
  world w;
  auto c = three();
  c.promotions.push_back({{4}, {}});
  c.learners.push_back({{4}, "n4:1"});
  w.events.on_members(c, 7);
  CHECK(w.log.take() == "info: node 0000000000000004 (n4:1) joined the cluster (configuration 7)\n");
  w.events.on_members(c, 7);
  CHECK(w.log.take().empty());
  c.voters.push_back({{4}, "n4:1"});
  c.learners.clear();
  c.promotions.clear();
  w.events.on_members(c, 9);
  CHECK(w.log.take() == "info: node 0000000000000004 (n4:1) became a voter (configuration 9)\n");
  std::erase_if(c.voters, [](const auto& m) { return m.id == node_id{3}; });
  w.events.on_members(c, 12);
  CHECK(w.log.take() == "info: node 0000000000000003 (n3:1) left the cluster (configuration 12)\n");
}

TEST_CASE("logs when too few voters answer, and when enough answer again") {
  world w;
  w.events.on_health({2}, peer_state::suspect);
  CHECK(w.log.take("majority").empty());
  w.events.on_health({3}, peer_state::dead);
  CHECK(w.log.take("majority") == "warning: no majority: 1 of 3 voters answers, 2 needed\n");
  w.events.on_health({2}, peer_state::dead);
  CHECK(w.log.take("majority").empty());
  w.events.on_health({2}, peer_state::alive);
  CHECK(w.log.take("majority") == "info: a majority answers again: 2 of 3 voters\n");
}

TEST_CASE("a joint configuration needs a majority of both sets") {
  world w;
  auto c = three();
  c.outgoing = c.voters;
  c.voters = {{{1}, "n1:1"}, {{4}, "n4:1"}, {{5}, "n5:1"}};
  w.events.on_members(c, 5);
  w.events.on_health({4}, peer_state::dead);
  w.log.take();
  w.events.on_health({5}, peer_state::dead);
  CHECK(w.log.take("majority") == "warning: no majority: 1 of 3 voters answers, 2 needed\n");

  w.events.on_health({5}, peer_state::alive);
  w.events.on_health({2}, peer_state::dead);
  w.log.take();
  w.events.on_health({3}, peer_state::dead);
  CHECK(w.log.take("majority") == "warning: no majority: 1 of 3 outgoing voters answers, 2 needed\n");
}

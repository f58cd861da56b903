// Nodes of real actors, in virtual time: removal, leaving, and events.
#include "tests/actor/cluster_steps.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

std::size_t members_seen_by(cluster_world& w, node_id id) {
  const auto now = w.status(id);
  return now && now->role ? now->members.size() : 0;
}

std::string why_not_ready(cluster_world& w, node_id id) {
  const auto now = w.status(id);
  return now ? now->not_ready : std::string{};
}

/// Also false while the node cannot answer because its role does not.
bool is_in_phase(cluster_world& w, node_id id, node_phase phase) {
  const auto now = w.status(id);
  return now && now->phase == phase;
}

bool ended_well(cluster_world& w, node_id id, std::chrono::milliseconds patience = 10s) {
  if (!w.run_until([&] { return w.end_of(id).has_value(); }, patience)) return false;
  return w.end_of(id) == "none" || w.end_of(id)->empty();
}

/// The node's role according to a watcher's events; empty without such an event.
std::optional<raft::role_kind> role_as_told(const std::vector<cluster_event>& seen) {
  std::optional<raft::role_kind> role;
  for (const auto& e : seen)
    if (e.what == cluster_event::kind::role_changed) role = e.role;
  return role;
}

/// The leader according to a watcher's events.
node_id leader_as_told(const std::vector<cluster_event>& seen) {
  node_id leader;
  for (const auto& e : seen)
    if (e.what == cluster_event::kind::leader_changed) leader = e.node;
  return leader;
}

/// A cluster with a leader and two other nodes.
struct story {
  explicit story(std::uint64_t seed) : w{seed} {
    leader = elected(w);
    REQUIRE(w.run_until([&] {
      const auto ids = cluster_world::ids();
      return std::all_of(ids.begin(), ids.end(), [&](node_id id) { return caught_up(w, id); });
    }));
    for (const auto id : cluster_world::ids())
      if (id != leader) (other ? third : other) = id;
  }
  /// Isolates `other` for `away`, and removes it in the middle of that time.
  void remove_in_absence(std::chrono::milliseconds away) {
    w.net().isolate(other);
    w.run(away / 2);
    const auto removed = w.change(leader, {0, {}, {other}, 0});
    REQUIRE(w.run_until([&] { return removed->has_value(); }));
    REQUIRE((*removed)->error.code == errc::none);
    w.run(away / 2);
    w.net().heal();
    REQUIRE(w.run_until([&] { return why_not_ready(w, other).find("was removed") != std::string::npos; }, 20s));
  }
  std::size_t count(const std::vector<cluster_event>& seen, cluster_event::kind what, node_id node) {
    return static_cast<std::size_t>(std::count_if(
        seen.begin(), seen.end(), [&](const cluster_event& e) { return e.what == what && e.node == node; }));
  }

  cluster_world w;
  node_id leader;
  node_id other;
  node_id third;
};

/// Starts a write while the node's disk hangs, then stops its role as well.
void hold_write(cluster_world& w, node_id id) {
  w.pace_disk(id, 0);
  w.put(id, "held");
  w.run(20ms);
  w.pace_role(id, 0);
}

/// Lets that write fail. Stopping the replica takes until the role runs again.
bool break_under_role(cluster_world& w, node_id id) {
  w.break_disk(id);
  w.pace_disk(id, any_pace);
  return w.run_until([&] { return is_in_phase(w, id, node_phase::restarting); }, 20ms);
}

bool goes_on_to_fail(cluster_world& w, node_id id) {
  w.pace_role(id, any_pace);
  return w.run_until([&] { return is_in_phase(w, id, node_phase::disk_failed); });
}

} // namespace

TEST_CASE("a removed node stays out however long it was away, and asks to join after a restart") {
  for (std::uint64_t seed = 70; seed < 76; ++seed) {
    CAPTURE(seed);
    story brief{seed};
    brief.remove_in_absence(4s);
    const auto& roles = brief.w.roles(brief.other);
    CHECK(std::any_of(roles.begin(), roles.end(),
                      [](const role_seen& r) { return r.kind == raft::role_kind::candidate; }));
    CHECK_FALSE(brief.w.wants_to_join(brief.other));
  }
  story away{76};
  away.remove_in_absence(25s); // by then the leader no longer notifies it
  CHECK_FALSE(away.w.wants_to_join(away.other));
  away.w.kill(away.other);
  away.w.start(away.other);
  REQUIRE(away.w.run_until([&] { return why_not_ready(away.w, away.other).find("was removed") != std::string::npos; }));
  CHECK(away.w.wants_to_join(away.other));
}

TEST_CASE("a node that was removed while it was down asks to join when it is started") {
  story s{77};
  s.w.kill(s.other);
  const auto removed = s.w.change(s.leader, {0, {}, {s.other}, 0});
  REQUIRE(s.w.run_until([&] { return removed->has_value(); }));
  s.w.start(s.other);
  REQUIRE(s.w.run_until([&] { return why_not_ready(s.w, s.other).find("was removed") != std::string::npos; }));
  CHECK(s.w.wants_to_join(s.other));
}

TEST_CASE("a node that was started in isolation and removed then stays out until it is restarted") {
  story s{84};
  s.w.net().isolate(s.other);
  s.w.kill(s.other);
  s.w.start(s.other);
  s.remove_in_absence(25s);
  CHECK_FALSE(s.w.wants_to_join(s.other));
  s.w.run(5s);
  CHECK_FALSE(s.w.wants_to_join(s.other));
  CHECK(members_seen_by(s.w, s.leader) == 2);
  s.w.kill(s.other);
  s.w.start(s.other);
  REQUIRE(s.w.run_until([&] { return why_not_ready(s.w, s.other).find("was removed") != std::string::npos; }));
  CHECK(s.w.run_until([&] { return s.w.wants_to_join(s.other); }));
}

TEST_CASE("a removed node stays out even if so many removals followed that its own is forgotten") {
  story s{85};
  s.w.net().isolate(s.other);
  const auto make = [&](const raft::change_members& change) {
    const auto done = s.w.change(s.leader, change);
    REQUIRE(s.w.run_until([&] { return done->has_value(); }));
    REQUIRE((*done)->error.code == errc::none);
  };
  make({0, {}, {s.other}, 0});
  for (std::uint64_t id = 1000; id < 1000 + 66; ++id) {
    make({0, {{{{id}, "gone:1"}, false, {}}}, {}, 0});
    make({0, {}, {{id}}, 0});
  }
  // The node now receives configurations that do not contain it, the newest of which have forgotten its removal.
  s.w.net().heal();
  REQUIRE(s.w.run_until([&] { return why_not_ready(s.w, s.other).find("was removed") != std::string::npos; }, 20s));
  CHECK_FALSE(s.w.wants_to_join(s.other));
}

TEST_CASE("a removed node stays out when all nodes that knew the time of the removal were restarted") {
  story s{86};
  s.w.net().isolate(s.other);
  s.w.run(2s); // a new leader accepts no membership change yet
  const auto removed = s.w.change(s.leader, {0, {}, {s.other}, 0});
  REQUIRE(s.w.run_until([&] { return removed->has_value(); }));
  REQUIRE((*removed)->error.code == errc::none);
  for (const auto id : {s.third, s.leader}) {
    s.w.kill(id);
    s.w.start(id);
    REQUIRE(s.w.run_until([&] { return caught_up(s.w, id); }, 20s));
  }
  s.w.net().heal();
  s.w.run_until([&] { return why_not_ready(s.w, s.other).find("was removed") != std::string::npos; }, 20s);
  CHECK_THAT(why_not_ready(s.w, s.other), Catch::Contains("was removed"));
  CHECK_FALSE(s.w.wants_to_join(s.other));
}

TEST_CASE("a node removed by request stays out under another leader too") {
  story s{78};
  s.w.net().isolate(s.other);
  const auto removed = s.w.change(s.leader, {0, {}, {s.other}, 0});
  REQUIRE(s.w.run_until([&] { return removed->has_value(); }));
  s.w.stop(s.leader, false);
  REQUIRE(ended_well(s.w, s.leader));
  s.w.start(s.leader);
  REQUIRE(s.w.run_until([&] { return s.w.leader().has_value(); }));
  s.w.net().heal();
  REQUIRE(s.w.run_until([&] { return why_not_ready(s.w, s.other).find("was removed") != std::string::npos; }));
  CHECK_FALSE(s.w.wants_to_join(s.other));
}

TEST_CASE("a node that leaves is no longer a member, whether it was the leader or a follower") {
  for (const bool leads : {false, true}) {
    story s{leads ? 81u : 80u};
    const auto leaves = leads ? s.leader : s.other;
    const auto stays = s.third;
    s.w.stop(leaves, true);
    s.w.stop(leaves, true);
    REQUIRE(ended_well(s.w, leaves));
    REQUIRE(s.w.run_until([&] { return members_seen_by(s.w, stays) == 2; }));
    put_some(s.w, stays, "on", 3);
  }
}

TEST_CASE("a stop without leaving ends a leaving node at once") {
  story s{82};
  s.w.net().isolate(s.other); // it cannot reach the leader
  s.w.stop(s.other, true);
  s.w.run(50ms);
  CHECK(is_in_phase(s.w, s.other, node_phase::leaving));
  s.w.stop(s.other, false);
  REQUIRE(ended_well(s.w, s.other, 100ms));
  CHECK(members_seen_by(s.w, s.leader) == 3);
}

TEST_CASE("a node that cannot leave stops anyway and remains a member") {
  story s{83};
  s.w.net().isolate(s.other);
  s.w.stop(s.other, true);
  REQUIRE(ended_well(s.w, s.other, 12s));
  CHECK(members_seen_by(s.w, s.leader) == 3);
  s.w.net().heal();
  // The node is not running yet.
  s.w.start(s.other);
  s.w.stop(s.other, true);
  REQUIRE(ended_well(s.w, s.other, 12s));
  // The node has no replica at the moment.
  s.w.start(s.other);
  REQUIRE(s.w.run_until([&] { return caught_up(s.w, s.other); }));
  s.w.exhaust_disk(s.other);
  s.w.put(s.leader, "more");
  REQUIRE(s.w.run_until([&] { return is_in_phase(s.w, s.other, node_phase::no_room); }));
  s.w.stop(s.other, true);
  REQUIRE(ended_well(s.w, s.other, 12s));
  CHECK(members_seen_by(s.w, s.leader) == 3);
}

TEST_CASE("a node does not leave if the others would lose their quorum, and the cluster continues") {
  story s{85};
  s.w.kill(s.third);
  s.w.run(3s);
  s.w.stop(s.other, true);
  REQUIRE(ended_well(s.w, s.other));
  s.w.start(s.other);
  REQUIRE(s.w.run_until([&] { return s.w.leader() && caught_up(s.w, s.other); }));
  put_some(s.w, s.other, "on", 3);
  CHECK(members_seen_by(s.w, s.other) == 3);
}

TEST_CASE("a watcher gets the current state at first, and learns that a node without a replica no longer leads") {
  story s{86};
  using kind = cluster_event::kind;
  const auto seen = s.w.watch(s.leader);
  REQUIRE(seen->size() == 2);
  CHECK(seen->front().what == kind::role_changed);
  CHECK(seen->front().role == raft::role_kind::leader);
  CHECK(seen->back().what == kind::leader_changed);
  CHECK(seen->back().node == s.leader);
  s.w.break_disk(s.leader);
  s.w.put(s.leader, "x");
  REQUIRE(s.w.run_until([&] { return is_in_phase(s.w, s.leader, node_phase::disk_failed); }));
  CHECK(leader_as_told(*seen) == node_id{});
  CHECK(role_as_told(*seen) == raft::role_kind::follower);
}

TEST_CASE("a watcher that registers while a leader's replica is being stopped does not see it lead") {
  story s{87};
  const auto before = s.w.watch(s.leader);
  CHECK(role_as_told(*before) == raft::role_kind::leader);
  hold_write(s.w, s.leader);
  REQUIRE(break_under_role(s.w, s.leader));
  const auto meanwhile = s.w.watch(s.leader);
  REQUIRE(goes_on_to_fail(s.w, s.leader));
  for (const auto& seen : {before, meanwhile, s.w.watch(s.leader)}) {
    CHECK(role_as_told(*seen) == raft::role_kind::follower);
    CHECK(leader_as_told(*seen) == node_id{});
  }
}

TEST_CASE("watchers are not notified of what a role learns while its replica is being stopped") {
  story s{88};
  const auto seen = s.w.watch(s.other);
  hold_write(s.w, s.other);
  // The new leader's request reaches the role before the role learns of the end of its log store.
  s.w.transfer(s.leader, s.third);
  REQUIRE(s.w.run_until([&] { return s.w.leader() == s.third; }, 100ms));
  s.w.run(10ms);
  REQUIRE(break_under_role(s.w, s.other));
  REQUIRE(goes_on_to_fail(s.w, s.other));
  CHECK(leader_as_told(*seen) == node_id{});
}

TEST_CASE("events report the leader, the health and the changes of members") {
  story s{84};
  using kind = cluster_event::kind;
  const auto seen = s.w.watch(s.leader);
  const auto elsewhere = s.w.watch(s.third);
  s.w.kill(s.other);
  REQUIRE(s.w.run_until([&] { return s.count(*seen, kind::died, s.other) > 0; }, 30s));
  CHECK(s.count(*seen, kind::suspected, s.other) == 1);
  s.w.start(s.other);
  REQUIRE(s.w.run_until([&] { return s.count(*seen, kind::revived, s.other) > 0; }));
  const auto removed = s.w.change(s.leader, {0, {}, {s.other}, 0});
  REQUIRE(s.w.run_until([&] { return removed->has_value() && s.count(*elsewhere, kind::member_left, s.other) > 0; }));
  CHECK(s.count(*seen, kind::member_left, s.other) == 1);
  const auto added = s.w.change(s.leader, {0, {{{s.other, "node:1"}, true, {}}}, {}, 0});
  REQUIRE(s.w.run_until([&] { return s.count(*seen, kind::member_promoted, s.other) > 0; }));
  CHECK(s.count(*seen, kind::member_joined, s.other) == 1);
  CHECK(added->has_value());
  const auto old = s.leader;
  s.w.stop(old, false);
  REQUIRE(s.w.run_until([&] { return s.w.leader() && s.w.leader() != old; }));
  REQUIRE(s.w.run_until([&] { return s.count(*elsewhere, kind::leader_changed, *s.w.leader()) > 0; }));
  CHECK(s.count(*seen, kind::died, s.other) == 1); // one event, although the watcher registered twice
}

// Whole nodes of real actors, in virtual time.
#include "tests/actor/cluster_steps.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a cluster elects a leader, and every node's front writes and reads") {
  cluster_world w{1};
  const auto leader = elected(w);
  for (const auto id : w.ids()) w.put(id, "k" + std::to_string(id.value));
  w.run(100ms);
  for (std::size_t i = 0; i < 3; ++i) CHECK(w.call(i).ok());
  for (const auto at : w.ids())
    for (const auto key : w.ids()) w.get(at, "k" + std::to_string(key.value));
  w.run(100ms);
  for (std::size_t i = 3; i < 12; ++i) {
    REQUIRE(w.call(i).ok());
    CHECK(w.call(i).answered->revision == w.call((i - 3) % 3).answered->revision);
  }
  for (const auto id : w.ids()) {
    const auto s = w.status(id);
    REQUIRE(s);
    CHECK(s->ready);
    CHECK(s->role->leader == leader);
    CHECK(w.applied(id) == 3);
  }
  conclude(w);
}

TEST_CASE("an isolated leader steps down and does not acknowledge its pending requests") {
  cluster_world w{2};
  const auto old = elected(w);
  w.net().isolate(old);
  const auto shortly = w.put(old, "short", 1500ms);
  const auto read = w.get(old, "short", 1500ms);
  const auto patient = w.put(old, "patient", 15s);
  REQUIRE(w.run_until([&] { return w.leader() && w.leader() != old; }));
  const auto next = *w.leader();
  w.run(1500ms);
  CHECK(w.roles(old).back().kind != raft::role_kind::leader);
  REQUIRE(w.call(shortly).answered);
  CHECK(w.call(shortly).what() == outcome::unknown);
  REQUIRE(w.call(read).answered);
  CHECK(w.call(read).what() == outcome::rejected);
  CHECK_FALSE(w.call(patient).answered);
  // As many entries as the old leader may have appended, which depends on when it was cut off.
  const auto more = w.put(next, "more");
  const auto others = w.put(next, "others");
  w.run(200ms);
  CHECK(w.call(more).ok());
  CHECK(w.call(others).ok());
  CHECK(w.applied(old) == 0);
  w.net().heal();
  // Another entry replaced the patient put in the log, so it was certainly not done, and is retried.
  CHECK(w.run_until([&] { return w.call(patient).answered.has_value(); }));
  CHECK(w.call(patient).ok());
  conclude(w);
  CHECK(w.call(patient).answered->revision > w.call(others).answered->revision);
}

namespace {

/// The kinds of a node's roles in order.
std::vector<raft::role_kind> kinds(const cluster_world& w, node_id id) {
  std::vector<raft::role_kind> all;
  for (const auto& r : w.roles(id)) all.push_back(r.kind);
  return all;
}
/// Whether a role of kind `to` took over from one of kind `from` while writes to the disk were outstanding.
bool handed_over_in_flight(const cluster_world& w, raft::role_kind from, raft::role_kind to) {
  for (const auto id : w.ids())
    for (std::size_t i = 1; i < w.roles(id).size(); ++i)
      if (w.roles(id)[i - 1].kind == from && w.roles(id)[i].kind == to && w.roles(id)[i].write_in_flight) return true;
  return false;
}
std::size_t alive(const cluster_world& w, node_id id) {
  const auto& all = w.roles(id);
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& r) { return r.alive; }));
}

} // namespace

TEST_CASE("roles change while writes are in flight, and every retired role ends") {
  using raft::role_kind;
  cluster_world w{3};
  const auto first = elected(w);
  w.run(1s);
  const auto at_rest = w.running();
  const node_id other{first.value % 3 + 1};
  int keys = 0;
  const auto write_everywhere = [&] {
    for (const auto id : w.ids()) w.put(id, "k" + std::to_string(++keys), 20s);
  };

  // A follower whose disk hangs campaigns. Its old role remains until the role change is announced.
  write_everywhere();
  w.pace_disk(other, 0);
  w.run(100ms);
  w.pace_news(other, 0);
  w.net().isolate(other);
  w.run(1500ms);
  CHECK(alive(w, other) >= 1);
  w.pace_news(other, any_pace);
  REQUIRE(w.run_until([&] { return kinds(w, other).back() == role_kind::candidate; }));
  CHECK(w.roles(other).back().write_in_flight);

  // The leader is alive, so the candidate becomes a follower again, with the same writes still outstanding.
  w.net().heal();
  REQUIRE(w.run_until([&] { return kinds(w, other).back() == role_kind::follower; }));
  w.pace_disk(other, any_pace);
  CHECK(handed_over_in_flight(w, role_kind::follower, role_kind::candidate));
  CHECK(handed_over_in_flight(w, role_kind::candidate, role_kind::follower));

  // The leader's disk hangs with its newest entries, and the leader is isolated. Nodes with slow disks elect another.
  write_everywhere();
  w.pace_disk(first, 0);
  for (const auto id : w.ids())
    if (id != first) w.pace_disk(id, 1);
  w.run(2ms);
  write_everywhere();
  w.run(2ms);
  w.net().isolate(first);
  REQUIRE(w.run_until([&] { return w.leader() && *w.leader() != first; }));
  write_everywhere();
  REQUIRE(w.run_until([&] { return kinds(w, first).back() != role_kind::leader; }));
  CHECK(handed_over_in_flight(w, role_kind::leader, role_kind::follower));
  CHECK(handed_over_in_flight(w, role_kind::candidate, role_kind::leader));

  w.net().heal();
  w.run(500ms);
  for (const auto id : w.ids()) w.pace_disk(id, any_pace);
  REQUIRE(w.run_until([&] { return w.all_equal(); }));
  w.run(2s);
  for (const auto id : w.ids()) {
    CHECK(alive(w, id) == 1);
    CHECK(w.roles(id).back().alive);
    CHECK(w.roles(id).back().epoch == w.roles(id).size());
  }
  w.run(20s);
  CHECK(w.running() == at_rest);
  // With so much time no call is rejected. The outcome of a call whose link was cut may be unknown.
  for (const auto& c : w.calls()) CHECK(c.what() != outcome::rejected);
  conclude(w);
}

TEST_CASE("a service that throws ends its replica, which restarts from disk") {
  cluster_world w{4};
  const auto leader = elected(w);
  for (int i = 0; i < 5; ++i) w.put(leader, "before" + std::to_string(i));
  w.run(200ms);
  const auto at_rest = w.running();
  for (const auto id : w.ids()) {
    const auto starts = w.services_started(id);
    w.arm_service(id);
    const auto during = w.put(id, "during" + std::to_string(id.value), 3s);
    REQUIRE(w.run_until([&] { return w.services_started(id) == starts + 1; }));
    REQUIRE(w.run_until([&] { return w.call(during).answered.has_value(); }));
    CHECK(w.up(id));
    REQUIRE(w.run_until([&] { return w.all_equal(); }));
    CHECK(w.applied(id) == 5 + id.value);
  }
  w.run(5s);
  CHECK(w.running() == at_rest);
  const auto last = w.put(leader, "after");
  w.run(200ms);
  CHECK(w.call(last).ok());
  conclude(w);
}

TEST_CASE("a failed disk stops its node, and no unsynced write was acknowledged") {
  cluster_world w{5};
  const auto leader = elected(w);
  const auto good = w.put(leader, "good");
  w.run(100ms);
  REQUIRE(w.call(good).ok());
  w.break_disk(leader);
  const auto lost = w.put(leader, "lost", 2s);
  const auto failed = [&] {
    const auto now = w.status(leader);
    return now && now->phase == node_phase::disk_failed;
  };
  REQUIRE(w.run_until(failed));
  const auto seen = *w.status(leader);
  CHECK(seen.disk == disk_state::failed);
  CHECK(seen.disk_error.find("simulated disk has failed") != std::string::npos);
  CHECK_FALSE(seen.ready);
  CHECK(seen.not_ready.find("simulated disk has failed") != std::string::npos);
  REQUIRE(w.call(lost).answered);
  CHECK(w.call(lost).what() == outcome::unknown);
  REQUIRE(w.run_until([&] { return w.leader().has_value(); }));
  const auto next = *w.leader();
  REQUIRE(next != leader);
  const auto on = w.put(next, "on");
  w.run(200ms);
  CHECK(w.call(on).ok());
  CHECK(failed());
  // The node does not recover by itself, so it refuses requests at once.
  const auto refused = w.put(leader, "refused");
  w.run(20ms);
  REQUIRE(w.call(refused).answered);
  CHECK(w.call(refused).answered->code == errc::disk_failed);
  w.kill(leader);
  w.start(leader);
  conclude(w);
}

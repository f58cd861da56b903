// Whole nodes of real actors with disks that hang.
#include "tests/actor/cluster_steps.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::size_t hangs = 0;

struct disk_story {
  cluster_world w;
  node_id leader;
  node_id other;
  node_id third;

  explicit disk_story(std::uint64_t seed) : w{seed} {
    leader = elected(w);
    other = node_id{leader.value % 3 + 1};
    third = node_id{other.value % 3 + 1};
    w.put(leader, "first");
    w.run(500ms);
    REQUIRE(w.call(0).ok());
  }
  std::string disk_of(node_id id) {
    const auto s = w.status(id);
    return s ? to_string(s->disk) : "no answer";
  }
  bool ready(node_id id) {
    const auto s = w.status(id);
    return s && s->ready;
  }
  static std::size_t count(const std::vector<cluster_event>& seen, cluster_event::kind what) {
    return static_cast<std::size_t>(
        std::count_if(seen.begin(), seen.end(), [&](const cluster_event& e) { return e.what == what; }));
  }
};

} // namespace

TEST_CASE("when the leader's disk hangs, writes continue and another node soon leads") {
  disk_story s{501};
  const auto seen = s.w.watch(s.leader);
  s.w.pace_disk(s.leader, hangs);
  // The other two disks are a majority.
  const auto first = s.w.put(s.other, "while it hangs", 3s);
  REQUIRE(s.w.run_until([&] { return s.w.call(first).answered.has_value(); }, 1s));
  CHECK(s.w.call(first).ok());
  REQUIRE(s.w.run_until([&] { return s.disk_of(s.leader) == "stalled"; }, 2500ms));
  REQUIRE(s.w.run_until([&] { return s.w.leader() && s.w.leader() != s.leader; }, 500ms));
  const auto second = s.w.put(s.other, "afterwards", 1s);
  REQUIRE(s.w.run_until([&] { return s.w.call(second).answered.has_value(); }, 1s));
  CHECK(s.w.call(second).ok());
  const auto status = s.w.status(s.leader);
  REQUIRE(status);
  CHECK_FALSE(status->ready);
  CHECK_THAT(status->not_ready, Catch::Contains("the disk does not answer"));
  CHECK_THAT(status->disk_error, Catch::Contains("a write has waited for"));
  CHECK(s.count(*seen, cluster_event::kind::disk_stalled) == 1);
  // The node does not lead again, even after a long time and when leadership is transferred to it.
  s.w.transfer(*s.w.leader(), s.leader);
  s.w.run(10s);
  CHECK(s.w.leader() != s.leader);
  s.w.pace_disk(s.leader, any_pace);
  REQUIRE(s.w.run_until([&] { return s.ready(s.leader); }, 3s));
  CHECK(s.disk_of(s.leader) == "ok");
  CHECK(s.count(*seen, cluster_event::kind::disk_answers) == 1);
  conclude(s.w);
}

TEST_CASE("a follower whose disk hangs reports why it is not ready, writes continue, and it recovers by itself") {
  disk_story s{502};
  const auto seen = s.w.watch(s.other);
  s.w.pace_disk(s.other, hangs);
  const auto write = s.w.put(s.leader, "a", 1s);
  REQUIRE(s.w.run_until([&] { return s.disk_of(s.other) == "stalled"; }, 2500ms));
  CHECK(s.w.call(write).ok());
  CHECK_FALSE(s.ready(s.other));
  // A new watcher is notified as well.
  const auto late = s.w.watch(s.other);
  s.w.run(10ms);
  CHECK(s.count(*late, cluster_event::kind::disk_stalled) == 1);
  const auto through_it = s.w.put(s.other, "b", 1s);
  s.w.run(1s);
  CHECK(s.w.call(through_it).ok());
  CHECK(s.w.leader() == s.leader);
  s.w.pace_disk(s.other, any_pace);
  REQUIRE(s.w.run_until([&] { return s.ready(s.other); }, 3s));
  CHECK(s.count(*seen, cluster_event::kind::disk_stalled) == 1);
  CHECK(s.count(*seen, cluster_event::kind::disk_answers) == 1);
  conclude(s.w);
}

TEST_CASE("a snapshot waits until the applied entries are on the node's own disk") {
  disk_story s{505};
  s.w.pace_disk(s.leader, hangs);
  const auto write = s.w.put(s.other, "applied, not on the leader's disk", 3s);
  REQUIRE(s.w.run_until([&] { return s.w.call(write).answered.has_value(); }, 1s));
  CHECK(s.w.call(write).ok());
  CHECK_FALSE(s.w.snapshot(s.leader)); // after a crash the snapshot would be beyond the end of the log
  CHECK(s.w.newest_snapshot(s.leader).empty());
  s.w.pace_disk(s.leader, any_pace);
  CHECK(s.w.run_until([&] { return !s.w.newest_snapshot(s.leader).empty(); }, 3s));
  conclude(s.w);
}

TEST_CASE("when two of three disks hang, the leader stays because there is no other quorum, and reports its disk") {
  disk_story s{503};
  s.w.pace_disk(s.leader, hangs);
  s.w.pace_disk(s.other, hangs);
  const auto lost = s.w.put(s.third, "x", 2s);
  REQUIRE(s.w.run_until([&] { return s.disk_of(s.leader) == "stalled" && s.disk_of(s.other) == "stalled"; }, 4s));
  s.w.run(2s);
  CHECK_FALSE(s.w.call(lost).ok());
  CHECK_FALSE(s.ready(s.leader));
  CHECK_FALSE(s.ready(s.other));
  CHECK(s.w.leader() == s.leader);
  s.w.pace_disk(s.leader, any_pace);
  s.w.pace_disk(s.other, any_pace);
  REQUIRE(s.w.run_until([&] { return s.ready(s.leader) && s.ready(s.other) && s.ready(s.third); }, 10s));
  const auto again = s.w.put(s.third, "y", 5s);
  REQUIRE(s.w.run_until([&] { return s.w.call(again).answered.has_value(); }));
  CHECK(s.w.call(again).ok());
  conclude(s.w);
}

TEST_CASE("a node whose disk hangs stops in time and reports what still waits") {
  disk_story s{504};
  for (const bool leads : {false, true}) {
    const auto id = leads ? s.leader : s.other;
    CAPTURE(leads);
    s.w.pace_disk(id, hangs);
    s.w.put(s.third, leads ? "l" : "f", 1s);
    s.w.run(10ms);
    s.w.stop(id, false);
    // The time for the leadership transfer, for unanswered requests, and for the threads.
    REQUIRE(s.w.run_until([&] { return !s.w.up(id); }, 8500ms));
    REQUIRE(s.w.end_of(id));
    CHECK_THAT(*s.w.end_of(id), Catch::Contains("wait for the disk, which does not answer"));
    s.w.pace_disk(id, any_pace);
    s.w.start(id);
    REQUIRE(s.w.run_until([&] { return s.ready(id) && s.w.leader(); }, 20s));
    s.leader = *s.w.leader();
    s.other = node_id{s.leader.value % 3 + 1};
    s.third = node_id{s.other.value % 3 + 1};
  }
  conclude(s.w);
}

TEST_CASE("a ready node is not ready while it needs another node's snapshot, and then recovers by itself") {
  cluster_world w{505};
  w.set_log_tail(0);
  for (const auto id : w.ids()) {
    w.kill(id);
    w.start(id);
  }
  const auto leader = elected(w);
  const node_id late{leader.value % 3 + 1};
  REQUIRE(w.run_until([&] { return caught_up(w, late); }));
  w.net().isolate(late);
  for (int round = 0; round < 2; ++round) {
    put_some(w, leader, "round" + std::to_string(round) + "-", 20);
    w.run(200ms); // the followers learn the commit index
    for (const auto id : w.ids())
      if (id != late) REQUIRE(w.snapshot(id));
  }
  REQUIRE(w.run_until([&] { return w.status(leader)->role->log_start > 0; }, 1s));
  // Its disk fails all operations for a while.
  w.snapshot_files_of(late)->before_each(
      [](const disk_operation& operation) { throw file_error("open", operation.path, EIO); });
  w.net().heal();
  REQUIRE(w.run_until([&] { return w.status(late)->role->leader == leader; }, 10s));
  REQUIRE(w.run_until([&] { return w.status(late)->role->installing; }, 5s));
  for (int i = 0; i < 100; ++i) {
    w.run(50ms);
    const auto s = w.status(late);
    REQUIRE(s);
    REQUIRE_FALSE(s->ready);
  }
  CHECK_THAT(w.status(late)->not_ready, Catch::Contains("receiving a snapshot"));
  w.snapshot_files_of(late)->before_each({});
  REQUIRE(w.run_until([&] { return caught_up(w, late); }, 20s));
  CHECK_FALSE(w.status(late)->role->installing);
  CHECK(w.problems() == std::vector<std::string>{});
}

TEST_CASE("a node whose applied index lags beyond the limit is not ready, and recovers by itself") {
  cluster_world w{506};
  const auto leader = elected(w);
  const node_id late{leader.value % 3 + 1};
  put_some(w, leader, "before", 3);
  REQUIRE(w.run_until([&] { return caught_up(w, late) && w.applied(late) == 3; }));
  w.pace_service(late, 0);
  const auto began = w.now();
  put_some(w, leader, "during", 3); // a majority applies them
  std::chrono::milliseconds ready_for{0};
  REQUIRE(w.run_until([&] {
    if (!caught_up(w, late)) return true;
    ready_for = std::chrono::duration_cast<std::chrono::milliseconds>(w.now() - began);
    return false;
  }));
  // Five times the longest election timeout.
  CHECK(ready_for > 4500ms);
  CHECK(ready_for < 5500ms);
  const auto status = w.status(late);
  REQUIRE(status);
  CHECK_THAT(status->not_ready, Catch::Contains("behind: entries known to be committed"));
  CHECK(w.applied(late) == 3);
  CHECK(status->role->commit > status->applied);
  CHECK(status->disk == disk_state::ok);
  // The other nodes serve, and further writes do not make the node ready.
  put_some(w, leader, "more", 20);
  w.run(2s);
  CHECK_FALSE(caught_up(w, late));
  CHECK(caught_up(w, leader));
  w.pace_service(late, any_pace);
  REQUIRE(w.run_until([&] { return caught_up(w, late); }, 1s));
  CHECK(w.applied(late) == 26);
  conclude(w);
}

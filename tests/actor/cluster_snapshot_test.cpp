// Snapshots of whole nodes, in virtual time: taking, sending, loading, and starting from them.
#include "tests/actor/cluster_steps.hpp"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Restarts all nodes, so that they compact the log as far as their snapshots allow.
void without_tail(cluster_world& w) {
  w.set_log_tail(0);
  for (const auto id : cluster_world::ids()) {
    w.kill(id);
    w.start(id);
  }
}

node_id other_than(node_id id) { return node_id{id.value % 3 + 1}; }

/// Checks that this node reads every acknowledged key with its revision.
void reads_all(cluster_world& w, node_id at) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const auto made = w.calls().size();
  for (std::size_t i = 0; i < made; ++i)
    if (w.call(i).is_put && w.call(i).ok()) pairs.emplace_back(i, w.get(at, w.call(i).key));
  REQUIRE(w.run_until([&] {
    return std::all_of(pairs.begin(), pairs.end(), [&](const auto& p) { return w.call(p.second).answered; });
  }));
  for (const auto& [put, get] : pairs) {
    CAPTURE(w.call(put).key);
    REQUIRE(w.call(get).ok());
    REQUIRE(w.call(get).answered->revision == w.call(put).answered->revision);
  }
}

/// The node's snapshot error; empty if there is none.
std::string snapshot_error_of(cluster_world& w, node_id id) {
  const auto now = w.status(id);
  return now ? now->snapshot_error : "no answer";
}

/// Kills a node and compacts the log that it needs. Returns the node, which is still down.
node_id fall_behind(cluster_world& w) {
  without_tail(w);
  const auto leader = elected(w);
  const auto missing = other_than(leader);
  w.kill(missing);
  for (int round = 0; round < 2; ++round) {
    put_some(w, leader, "round" + std::to_string(round) + "-", 20);
    w.run(200ms); // the followers learn the commit index
    for (const auto id : cluster_world::ids())
      if (id != missing) REQUIRE(w.snapshot(id));
  }
  w.run(200ms);
  REQUIRE(w.status(leader)->role->log_start > 0);
  return missing;
}

} // namespace

TEST_CASE("a node starts from its snapshot and the log after it") {
  cluster_world w{21};
  without_tail(w);
  const auto leader = elected(w);
  put_some(w, leader, "before", 30);
  const auto first = w.snapshot(leader);
  REQUIRE(first);
  CHECK(first->last.index >= 31);
  w.run(200ms);
  // A single snapshot does not allow compaction, since it may be damaged.
  CHECK(w.status(leader)->role->log_start == 0);
  put_some(w, leader, "between", 5);
  const auto made = w.snapshot(leader);
  REQUIRE(made);
  put_some(w, leader, "behind", 10);
  w.run(200ms);
  CHECK(w.status(leader)->role->log_start == first->last.index);
  CHECK(w.status(leader)->snapshot == *made);
  w.kill(leader);
  w.start(leader);
  REQUIRE(w.run_until([&] { return caught_up(w, leader); }));
  // Only the entries after the snapshot were applied again.
  CHECK(w.applied(leader) <= 11);
  reads_all(w, leader);
  CHECK(w.problems().empty());
}

TEST_CASE("a follower that needs compacted entries gets a snapshot and continues from it") {
  cluster_world w{22};
  without_tail(w);
  const auto leader = elected(w);
  const auto follower = other_than(leader);
  put_some(w, leader, "both", 5);
  w.kill(follower);
  put_some(w, leader, "missed", 40);
  for (const auto id : cluster_world::ids())
    if (id != follower) REQUIRE(w.snapshot(id));
  put_some(w, leader, "after", 5);
  for (const auto id : cluster_world::ids())
    if (id != follower) REQUIRE(w.snapshot(id));
  w.start(follower);
  REQUIRE(w.run_until([&] { return caught_up(w, follower); }));
  CHECK(w.status(follower)->role->log_start >= 46);
  CHECK(w.status(follower)->snapshot.last.index >= 51);
  CHECK(w.applied(follower) <= 10);
  reads_all(w, follower);
  // It counts for a majority like any other node, and can lead.
  w.kill(leader);
  REQUIRE(w.run_until([&] { return w.leader().has_value(); }));
  put_some(w, follower, "later", 5);
  reads_all(w, follower);
  // The snapshot that it received is on its disk, and it starts from it.
  w.kill(follower);
  w.start(follower);
  w.start(leader);
  REQUIRE(w.run_until([&] { return caught_up(w, follower); }));
  reads_all(w, follower);
  CHECK(w.problems().empty());
}

TEST_CASE("a second request at the same state gets the existing snapshot") {
  cluster_world w{23};
  const auto leader = elected(w);
  put_some(w, leader, "k", 3);
  const auto first = w.snapshot(leader);
  REQUIRE(first);
  CHECK(w.snapshot(leader) == first);
  put_some(w, leader, "l", 1);
  const auto second = w.snapshot(leader);
  REQUIRE(second);
  CHECK(second->last.index > first->last.index);
}

TEST_CASE("a leader whose disk is full steps down, reads continue, and commands resume when there is room") {
  cluster_world w{24};
  const auto leader = elected(w);
  put_some(w, leader, "before", 3);
  w.fill_disk(leader, true);
  // The node notices with the next write.
  w.put(leader, "notice");
  REQUIRE(w.run_until([&] { return w.leader() && *w.leader() != leader; }));
  CHECK(w.status(leader)->disk == disk_state::full);
  CHECK_THAT(w.status(leader)->not_ready, Catch::Contains("the disk is full: no room"));
  put_some(w, *w.leader(), "meanwhile", 3);
  for (const auto id : cluster_world::ids()) w.fill_disk(id, true);
  w.put(*w.leader(), "notice too");
  // All disks are full. One node leads and serves reads.
  std::size_t read = 0;
  REQUIRE(w.run_until([&] {
    if (!w.leader()) return false;
    read = w.get(*w.leader(), "before0", 1s);
    w.run(300ms);
    return w.call(read).ok();
  }));
  const auto refused = w.put(*w.leader(), "refused", 1s);
  w.run(1500ms);
  REQUIRE(w.call(refused).answered);
  CHECK(w.call(refused).answered->code == errc::disk_full);
  CHECK(w.call(refused).what() == outcome::rejected);
  for (const auto id : cluster_world::ids()) w.fill_disk(id, false);
  w.run(3s);
  put_some(w, leader, "again", 3);
  reads_all(w, leader);
  CHECK(w.status(leader)->disk == disk_state::ok);
  CHECK(w.problems().empty());
}

TEST_CASE("a failed snapshot is retried after a pause, and requests in the meantime get the reason") {
  cluster_world w{25};
  const auto leader = elected(w);
  put_some(w, leader, "k", 3);
  int attempts = 0;
  w.snapshot_files_of(leader)->before_each([&](const disk_operation& operation) {
    if (operation.kind != disk_operation::kind_t::create) return;
    ++attempts;
    throw file_error("create", operation.path, EIO);
  });
  CHECK_FALSE(w.snapshot(leader));
  CHECK(attempts == 1);
  CHECK(snapshot_error_of(w, leader).find("Input/output error") != std::string::npos);
  CHECK_FALSE(w.snapshot(leader));
  put_some(w, leader, "l", 3);
  CHECK(attempts == 1);
  // The node retries by itself.
  w.run(12s);
  CHECK(attempts == 2);
  w.snapshot_files_of(leader)->before_each({});
  w.run(12s);
  CHECK(snapshot_error_of(w, leader).empty());
  CHECK(w.status(leader)->snapshot);
}

TEST_CASE("a leader's damaged snapshot is detected, quarantined and replaced") {
  cluster_world w{26};
  const auto missing = fall_behind(w);
  const auto leader = *w.leader();
  const auto damaged = w.newest_snapshot(leader);
  const auto files = w.snapshot_files_of(leader);
  const auto whole = files->content(damaged);
  files->flip_byte(damaged, files->content(damaged).size() / 2);
  w.start(missing);
  REQUIRE(w.run_until([&] { return caught_up(w, missing); }, 30s));
  reads_all(w, missing);
  CHECK(files->exists(damaged.string() + ".damaged"));
  // The same state gives the same bytes.
  CHECK(w.newest_snapshot(leader) == damaged);
  CHECK(files->content(damaged) == whole);
  CHECK(w.status(leader)->snapshot);
  CHECK(w.problems().empty());
}

TEST_CASE("a node that has lost its state refuses stale reads") {
  cluster_world w{27};
  const auto lost = fall_behind(w);
  w.start(lost);
  REQUIRE(w.run_until([&] { return caught_up(w, lost); }, 30s));
  const auto here = w.get(lost, "round0-0", 1s, true);
  REQUIRE(w.run_until([&] { return w.call(here).ok(); }));
  const auto files = w.snapshot_files_of(lost);
  w.kill(lost);
  for (auto path = w.newest_snapshot(lost); !path.empty(); path = w.newest_snapshot(lost)) {
    w.snapshot_files_of(lost)->remove(path);
    w.snapshot_files_of(lost)->sync_directory(path.parent_path());
  }
  for (const auto id : cluster_world::ids())
    if (id != lost) w.kill(id);
  w.start(lost);
  w.run(1s);
  REQUIRE(w.status(lost)->role->state_lost);
  const auto gone = w.get(lost, "round0-0", 1s, true);
  REQUIRE(w.run_until([&] { return w.call(gone).answered.has_value(); }));
  CHECK(w.call(gone).answered->code == errc::not_ready);
}

TEST_CASE("a node without a service keeps its log until it runs the service again") {
  cluster_world w{28};
  without_tail(w);
  auto leader = elected(w);
  put_some(w, leader, "before", 5);
  const auto poor = other_than(leader);
  w.kill(poor);
  w.run_services(poor, false);
  w.start(poor);
  put_some(w, leader, "after", 5);
  REQUIRE(w.run_until([&] { return caught_up(w, poor); }));
  CHECK_FALSE(w.snapshot(poor));
  CHECK(snapshot_error_of(w, poor) == "the log holds commands of the service \"map\", which this program does not run");
  w.run_services(poor, true);
  w.kill(poor);
  w.start(poor);
  REQUIRE(w.run_until([&] { return caught_up(w, poor); }));
  reads_all(w, poor);
  CHECK(w.snapshot(poor));
  // The service's state is in a snapshot now. Without the service the node must not start, as it would lose that state.
  w.kill(poor);
  w.run_services(poor, false);
  w.start(poor);
  w.run(100ms);
  REQUIRE(w.end_of(poor));
  CHECK(w.end_of(poor)->find("\"map\", which this program does not run") != std::string::npos);
}

TEST_CASE("a node waits for room on a full disk without restarting its replica") {
  cluster_world w{29};
  const auto leader = elected(w);
  const auto full = other_than(leader);
  put_some(w, leader, "before", 3);
  const auto began = w.services_started(full);
  w.exhaust_disk(full);
  put_some(w, leader, "during", 3);
  w.run(5s);
  CHECK(w.status(full)->phase == node_phase::no_room);
  CHECK(w.status(full)->disk == disk_state::full);
  CHECK(w.services_started(full) == began);
  w.fill_disk(full, false);
  REQUIRE(w.run_until([&] { return caught_up(w, full); }));
  reads_all(w, full);
  CHECK(w.problems().empty());
}

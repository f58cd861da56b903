#include "runtime/storage/open_state.hpp"

#include "raft/base/codec.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/unit/storage/node_history.hpp"
#include "tests/unit/storage/snapshot_model.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Entries 1 ... 40, snapshots at 20 and 30, the log compacted up to the first one.
struct two_snapshots {
  memory_file_system fs;
  log_model model;
  raft::hard_state hard{7, {2}};
  std::unique_ptr<opened_node> node;
  raft::snapshot_id older;
  raft::snapshot_id newer;

  two_snapshots() {
    node = std::make_unique<opened_node>(fs);
    for (raft::index_t index = 1; index <= 40; ++index) {
      auto change = make_append(index, index, 1 + index / 10, 300);
      change.hard = hard;
      write(change);
    }
    older = snapshot(20);
    newer = snapshot(30);
    node->log->compact(20);
    reopen();
    REQUIRE(node->found.start.index > 10);
    REQUIRE(node->found.snapshot->last == newer.last);
  }

  void write(const raft::write& change) {
    node->log->apply(change);
    node->log->sync();
    model.apply(change);
  }
  void reopen() {
    node.reset();
    node = std::make_unique<opened_node>(fs);
  }
  raft::snapshot_id snapshot(raft::index_t index, raft::term_t term = 0) {
    std::string bytes;
    auto prefix = model.entries;
    prefix.resize(index);
    raft::writer{bytes}.put(state_after(prefix));
    raft::snapshot_point at{{index, term ? term : prefix.back().term}, 0, {}};
    return write_snapshot(*node->snapshots, at, {{"chain", bytes + "and more"}});
  }
  void damage(const raft::snapshot_id& id) {
    fs.flip_byte(std::filesystem::path{"/data/snapshots"} / snapshot_format::file_name(id), id.size - 60);
  }
};

} // namespace

TEST_CASE("loads the newest snapshot and replays the log after it") {
  two_snapshots disk;
  REQUIRE(disk.node->loads == 1);
  REQUIRE(disk.node->state == state_after(disk.model.entries));
  REQUIRE(disk.node->found.notes.empty());
}

TEST_CASE("quarantines a damaged snapshot and loads the previous one") {
  two_snapshots disk;
  disk.damage(disk.newer);
  disk.reopen();
  REQUIRE(disk.node->loads == 2);
  REQUIRE(disk.node->found.snapshot->last == disk.older.last);
  REQUIRE(disk.node->state == state_after(disk.model.entries));
  REQUIRE_FALSE(disk.node->found.state_lost);
  REQUIRE(disk.node->found.notes.size() == 1);
  REQUIRE_THAT(disk.node->found.notes[0], Catch::Contains(snapshot_format::file_name(disk.newer)) &&
                                              Catch::Contains("offset") && Catch::Contains("quarantined as"));
  disk.reopen();
  REQUIRE(disk.node->loads == 1);
  REQUIRE(disk.node->found.notes.empty());
  REQUIRE(disk.node->snapshots->list() == std::vector{disk.older});
}

TEST_CASE("if no snapshot can be read, the state is lost, but not term, vote and log") {
  two_snapshots disk;
  disk.damage(disk.newer);
  disk.damage(disk.older);
  disk.reopen();
  REQUIRE(disk.node->found.state_lost);
  REQUIRE_FALSE(disk.node->found.snapshot);
  REQUIRE(disk.node->found.hard == disk.hard);
  REQUIRE(disk.node->read() == disk.model.behind(disk.node->found.start.index));
  REQUIRE(disk.node->found.notes.size() == 2);
  // A snapshot from another node restores the state.
  disk.snapshot(35);
  disk.reopen();
  REQUIRE_FALSE(disk.node->found.state_lost);
  REQUIRE(disk.node->state == state_after(disk.model.entries));
}

TEST_CASE("a snapshot is not used if the log does not reach back to it") {
  two_snapshots disk;
  disk.node->log->compact(30); // more than the older snapshot covers
  disk.damage(disk.newer);
  disk.reopen();
  REQUIRE(disk.node->found.start.index > 20);
  REQUIRE(disk.node->loads == 1);
  REQUIRE(disk.node->found.state_lost);
}

TEST_CASE("without the beginning of the log and without snapshots the state is lost") {
  two_snapshots disk;
  disk.node->snapshots->prune(0);
  disk.reopen();
  REQUIRE(disk.node->found.state_lost);
  REQUIRE(disk.node->loads == 0);
}

TEST_CASE("with the whole log a damaged snapshot loses nothing") {
  memory_file_system fs;
  opened_node node{fs};
  const auto change = make_append(1, 9, 2, 10);
  node.log->apply(change);
  node.log->sync();
  const auto id = write_snapshot(*node.snapshots, make_point(5, 2), {{"chain", "12345678"}});
  fs.flip_byte(std::filesystem::path{"/data/snapshots"} / snapshot_format::file_name(id), 30);
  node.log.reset();
  const opened_node again{fs};
  REQUIRE_FALSE(again.found.state_lost);
  REQUIRE_FALSE(again.found.snapshot);
  REQUIRE(again.state == state_after(change.append));
}

TEST_CASE("a snapshot beyond the log's end, or of another term, replaces the log") {
  two_snapshots disk;
  raft::index_t last = 0;
  SECTION("beyond the end") {
    for (raft::index_t index = 41; index <= 50; ++index) disk.model.entries.push_back(make_entry(index, 9, "theirs"));
    last = 50;
  }
  SECTION("of another term: this node's entries were never committed") {
    disk.model.entries.resize(34);
    disk.model.entries.push_back(make_entry(35, 9, "theirs"));
    last = 35;
  }
  const auto id = disk.snapshot(last);
  disk.reopen();
  REQUIRE(disk.node->found.start == id.last);
  REQUIRE(disk.node->found.last_index == last);
  REQUIRE(disk.node->found.terms.empty());
  REQUIRE(disk.node->found.notes.size() == 1);
  REQUIRE(disk.node->state == state_after(disk.model.entries));
  REQUIRE(disk.node->found.hard == raft::hard_state{9, {}}); // it was in term 7 and cannot have voted in term 9
  disk.reopen();
  REQUIRE(disk.node->found.start == id.last);
  REQUIRE(disk.node->found.notes.empty());
  REQUIRE(disk.node->found.hard == raft::hard_state{9, {}});
  disk.node->log->compact(last);
  disk.reopen();
  REQUIRE(disk.node->state == state_after(disk.model.entries));
}

TEST_CASE("a snapshot of another term at the very start of the log") {
  two_snapshots disk;
  const auto start = disk.node->found.start;
  disk.node->snapshots->prune(0);
  write_snapshot(*disk.node->snapshots, {start, 0, {}}, {{"chain", "12345678"}});
  disk.reopen();
  REQUIRE(disk.node->found.start == start);
  REQUIRE(disk.node->found.last_index == 40);
}

TEST_CASE("snapshots do not replace a removed log and the votes in it") {
  two_snapshots disk;
  disk.node.reset();
  for (const auto& name : disk.fs.list("/data/log")) disk.fs.remove(std::filesystem::path{"/data/log"} / name);
  REQUIRE_THROWS_WITH(disk.reopen(),
                      Catch::Contains("/data/log is missing") && Catch::Contains("`troupe-log repair /data`"));
  REQUIRE(disk.fs.list("/data/log").empty());
}

TEST_CASE("opening removes unfinished files of an earlier process") {
  two_snapshots disk;
  disk.fs.create("/data/snapshots/0000000000000001.tmp");
  disk.reopen();
  REQUIRE(disk.fs.list("/data/snapshots").size() == 2);
}

TEST_CASE("passes on an exception that is not a storage error") {
  two_snapshots disk;
  disk.node->log.reset();
  raft::recovered found;
  const auto load = [](const raft::snapshot_id&) -> raft::snapshot_point { throw std::runtime_error("a bug"); };
  REQUIRE_THROWS_WITH(open_state(disk.fs, "/data/log", small_options(), *disk.node->snapshots, load, found), "a bug");
  REQUIRE(disk.node->snapshots->list().size() == 2);
}

TEST_CASE("does not skip an undamaged snapshot that this program does not support") {
  two_snapshots disk;
  disk.node.reset();
  snapshot_dir snapshots{disk.fs, "/data/snapshots", {1}};
  raft::recovered found;
  const auto refuse = [](const raft::snapshot_id&) -> raft::snapshot_point {
    throw raft::storage_error("the snapshot holds the service \"x\", which this program does not run");
  };
  REQUIRE_THROWS_WITH(open_state(disk.fs, "/data/log", small_options(), snapshots, refuse, found),
                      Catch::Contains("does not run"));
  // The attempt quarantined, cut and reset nothing.
  disk.reopen();
  REQUIRE(disk.node->found.snapshot->last == disk.newer.last);
  REQUIRE(disk.node->state == state_after(disk.model.entries));
}

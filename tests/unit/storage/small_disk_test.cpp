// Tests on a real file system that fills up.
#include "runtime/storage/open_state.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "tests/unit/small_mount.hpp"
#include "tests/unit/storage/snapshot_model.hpp"
#include "tests/unit/storage/storage_model.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <iostream>
#include <string>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a real disk that fills up stops entries and snapshots, not votes, and recovers") {
  const temporary_folder folder;
  const small_mount disk{folder.path(), "512k"};
  if (!disk.why_not().empty()) {
    std::cout << "skipped: a small file system cannot be mounted here (" << disk.why_not() << ")\n";
    return;
  }
  constexpr wal_options options{.segment_size = 65536, .reserve = 4096, .zero_ahead = 4096};
  posix_file_system fs;
  const auto ballast = disk.path() / "ballast";
  snapshot_dir snapshots{fs, disk.path() / "snapshots", {1}};
  raft::recovered found;
  const auto load = [&](const raft::snapshot_id& id) {
    return snapshots.load(id, [](std::string_view, detail::snapshot_source&) {});
  };
  auto log = open_state(fs, disk.path() / "log", options, snapshots, load, found);
  log_model model;
  const auto write = [&](const raft::write& change) {
    log->apply(change);
    log->sync();
    model.apply(change);
  };
  const auto write_entry = [&] { write(make_append(model.last_index() + 1, model.last_index() + 1, 1, 1000)); };
  while (model.last_index() < 100) write_entry();
  write_snapshot(snapshots, make_point(70, 1), {{"map", some_bytes(1000, 1)}});

  // Another user fills the disk; entries can be written for one more segment, then no more.
  auto out = fs.create(ballast);
  REQUIRE_THROWS_AS(out->preallocate(std::uint64_t{1} << 30), file_error);
  REQUIRE(out->size() == 0); // a preallocation that cannot succeed allocates nothing
  try {
    for (;;) out->write(out->size(), std::string(4096, 'x'));
  } catch (const file_error& error) {
    REQUIRE(error.no_space());
  }
  const auto before = model.last_index();
  while (log->has_room()) write_entry();
  REQUIRE(model.last_index() > before);
  REQUIRE_THROWS_AS(write_snapshot(snapshots, make_point(90, 1), {{"map", some_bytes(100000, 2)}}), file_error);
  REQUIRE(fs.list(disk.path() / "snapshots").size() == 1);
  for (raft::term_t term = 2; term < 50; ++term) {
    raft::write vote;
    vote.hard = raft::hard_state{term, {term}};
    write(vote);
  }
  REQUIRE_FALSE(log->has_room());
  log.reset();
  log = open_state(fs, disk.path() / "log", options, snapshots, load, found);
  REQUIRE(contents(*log, found) == model);
  REQUIRE_FALSE(log->has_room());

  REQUIRE_FALSE(found.has_room);

  // The older snapshot allows the log to free space.
  log->compact(70);
  REQUIRE(log->has_room());
  write_entry();
  out.reset();
  fs.remove(ballast);
  write_snapshot(snapshots, make_point(90, 1), {{"map", some_bytes(100000, 2)}});
  log.reset();
  log = open_state(fs, disk.path() / "log", options, snapshots, load, found);
  REQUIRE(found.snapshot->last.index == 90);
  REQUIRE(contents(*log, found) == model.behind(found.start.index));
}

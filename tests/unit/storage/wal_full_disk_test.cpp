#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace troupe;
using namespace troupe::test;
using kind_t = disk_operation::kind_t;

namespace {

const std::filesystem::path spare_path = "/log/spare";
constexpr std::size_t entries_in_a_segment = 6; // of 500 bytes, in small_options()

/// A log on a disk that a test can fill up.
struct small_disk {
  memory_file_system fs;
  int failure = 0; // errno of every preallocation
  log_model model;
  std::unique_ptr<wal> log;
  std::vector<kind_t> seen;
  bool found_room = false;

  small_disk() {
    fs.before_each([this](const disk_operation& operation) {
      if (failure != 0 && operation.kind == kind_t::preallocate)
        throw file_error("preallocate", operation.path, failure);
      seen.push_back(operation.kind);
    });
    open();
  }

  void open() {
    raft::recovered found;
    log.reset();
    log = wal::open(fs, "/log", small_options(), found);
    found_room = found.has_room;
    REQUIRE(contents(*log, found) == model);
  }
  void write(const raft::write& change) {
    log->apply(change);
    log->sync();
    model.apply(change);
  }
  void write_entry() { write(make_append(model.last_index() + 1, model.last_index() + 1, 1, 500)); }
  void fill() {
    failure = ENOSPC;
    while (log->has_room()) write_entry();
  }
  log_model after_crash() {
    return open_and_read(*fs.crashed([] { return false; }), small_options());
  }
};

raft::write vote(raft::term_t term) {
  raft::write change;
  change.hard = raft::hard_state{term, {term % 3 + 1}};
  return change;
}

} // namespace

TEST_CASE("while the log has room, a whole segment of entries can be written to a full disk") {
  for (int before = 0; before < 20; ++before) {
    CAPTURE(before);
    small_disk disk;
    for (int i = 0; i < before; ++i) disk.write_entry();
    disk.failure = ENOSPC;
    REQUIRE(disk.log->has_room());
    for (std::size_t i = 0; i < entries_in_a_segment; ++i) disk.write_entry();
    REQUIRE(disk.after_crash() == disk.model);
  }
}

TEST_CASE("a full disk does not stop voting, and entries continue when there is space again") {
  small_disk disk;
  disk.fill();
  REQUIRE(disk.model.last_index() > entries_in_a_segment);
  for (std::size_t i = 1; i < entries_in_a_segment; ++i)
    disk.write_entry(); // the first one was written when the segment was created
  for (raft::term_t term = 2; term < 14; ++term) {
    REQUIRE_FALSE(disk.log->has_room());
    disk.write(vote(term));
  }
  REQUIRE(disk.after_crash() == disk.model);
  REQUIRE_FALSE(disk.fs.exists(spare_path));
  disk.failure = 0;
  REQUIRE(disk.log->has_room());
  const auto next = disk.model.last_index() + 1;
  disk.write(make_append(next, next + 3, 20, 500));
  REQUIRE(disk.after_crash() == disk.model);
}

TEST_CASE("on a full disk a new leader's first entry fits where commands do not, and space remains for votes") {
  small_disk disk;
  disk.fill();
  for (std::size_t i = 1; i < entries_in_a_segment; ++i) disk.write_entry();
  for (raft::term_t term = 2; term < 7; ++term) {
    auto opening = vote(term);
    opening.append.push_back({disk.model.last_index() + 1, term, raft::entry_kind::noop, {}});
    disk.write(opening);
  }
  for (raft::term_t term = 7; term < 12; ++term) disk.write(vote(term));
  REQUIRE_FALSE(disk.log->has_room());
  REQUIRE(disk.after_crash() == disk.model);
}

TEST_CASE("a sync that finds no space is a failure, because its result is unknown") {
  REQUIRE(file_error("write", "x", ENOSPC).no_space());
  REQUIRE_FALSE(file_error("sync", "x", ENOSPC).no_space());
}

TEST_CASE("without a call of has_room a full disk is an error of the sync") {
  small_disk disk;
  disk.fill();
  for (std::size_t i = 1; i < entries_in_a_segment; ++i) disk.write_entry();
  disk.log->apply(make_append(disk.model.last_index() + 1, disk.model.last_index() + 1, 2, 500));
  try {
    disk.log->sync();
    FAIL("it was written");
  } catch (const raft::storage_error& error) {
    REQUIRE(error.no_space());
    REQUIRE_THAT(error.what(), Catch::Contains("No space left"));
  }
  REQUIRE_THROWS_AS(disk.log->apply(vote(9)), raft::storage_error);
  REQUIRE_THROWS_AS(disk.log->has_room(), raft::storage_error);
  disk.failure = 0;
  disk.open();
}

TEST_CASE("a disk failure during the creation of the next segment is a failure of the log") {
  small_disk disk;
  disk.fill();
  disk.failure = EIO;
  try {
    disk.log->has_room();
    FAIL("it has room");
  } catch (const raft::storage_error& error) {
    REQUIRE_FALSE(error.no_space());
    REQUIRE_THAT(error.what(), Catch::Contains(spare_path.string()));
  }
  REQUIRE_THROWS_WITH(disk.log->apply(vote(9)), Catch::Contains("reopen it"));
}

TEST_CASE("a log can be opened on a full disk") {
  small_disk disk;
  REQUIRE(disk.found_room);
  disk.fill();
  disk.open();
  REQUIRE_FALSE(disk.found_room);
  REQUIRE_FALSE(disk.log->has_room());
  disk.write(vote(3));
  REQUIRE(disk.after_crash() == disk.model);
}

TEST_CASE("a new segment uses the file that was preallocated in advance") {
  small_disk disk;
  for (std::size_t i = 0; i < entries_in_a_segment; ++i) disk.write_entry();
  disk.seen.clear();
  disk.write_entry();
  using enum disk_operation::kind_t;
  REQUIRE(disk.seen == std::vector{write, sync, rename, sync_directory, create, preallocate, write, sync});
}

TEST_CASE("reuses the spare of an earlier process, but not one of another size or an incomplete one") {
  small_disk disk;
  const auto opening_creates = [&] {
    disk.seen.clear();
    disk.open();
    return std::count(disk.seen.begin(), disk.seen.end(), kind_t::create);
  };
  REQUIRE(opening_creates() == 0);
  disk.fs.open(spare_path)->preallocate(20000);
  REQUIRE(opening_creates() == 1);
  REQUIRE(disk.fs.content(spare_path).size() == small_options().segment_size);
  disk.fs.create(spare_path)->preallocate(100);
  disk.failure = ENOSPC;
  REQUIRE(opening_creates() == 0);
  REQUIRE_FALSE(disk.fs.exists(spare_path));
  // A spare that was about to become a segment: its header is that of a place in the log where there is another segment
  // now.
  disk.failure = 0;
  REQUIRE(disk.log->has_room());
  disk.fs.open(spare_path)->write(0, disk.fs.content("/log/0000000000000001.wal").substr(0, 4096));
  REQUIRE(opening_creates() == 0);
  for (int i = 0; i < 20; ++i) disk.write_entry();
  REQUIRE(disk.after_crash() == disk.model);
}

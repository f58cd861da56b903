#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

using namespace troupe;
using namespace troupe::test;

namespace {

/// A log on a disk whose last room its current segment took.
struct full_disk {
  memory_file_system fs;
  bool full = true;
  log_model model;
  std::unique_ptr<wal> log;

  full_disk() {
    raft::recovered found;
    log = wal::open(fs, "/log", small_options(), found);
    fs.before_each([this](const disk_operation& operation) {
      if (full && operation.kind == disk_operation::kind_t::preallocate)
        throw file_error("preallocate", operation.path, ENOSPC);
    });
    for (auto change = make_append(1, 1, 1, 500); log->make_room(change);
         change = make_append(model.entries.size() + 1, model.entries.size() + 1, 1, 500))
      write(change);
  }

  void write(const raft::write& change) {
    log->apply(change);
    log->sync();
    model.apply(change);
  }
};

raft::write vote(raft::term_t term) {
  raft::write change;
  change.hard = raft::hard_state{term, {term % 3 + 1}};
  return change;
}

} // namespace

TEST_CASE("a full disk does not stop voting, and entries go on when there is room again") {
  full_disk disk;
  REQUIRE(disk.model.entries.size() > 3);
  for (raft::term_t term = 2; term < 14; ++term) {
    REQUIRE(disk.log->make_room(vote(term)));
    disk.write(vote(term));
  }
  const auto next = disk.model.entries.size() + 1;
  REQUIRE_FALSE(disk.log->make_room(make_append(next, next, 20, 500)));
  REQUIRE(open_and_read(*disk.fs.crashed([] { return false; }), small_options()) == disk.model);
  disk.full = false;
  REQUIRE(disk.log->make_room(make_append(next, next, 20, 500)));
  disk.write(make_append(next, next + 3, 20, 500));
  REQUIRE(open_and_read(*disk.fs.crashed([] { return false; }), small_options()) == disk.model);
}

TEST_CASE("make_room counts what is applied already") {
  full_disk disk;
  disk.full = false;
  const auto next = disk.model.entries.size() + 1;
  disk.log->apply(make_append(next, next, 2, 300));
  disk.model.apply(make_append(next, next, 2, 300));
  REQUIRE(disk.log->make_room(make_append(next + 1, next + 1, 2, 300)));
  disk.full = true;
  disk.write(make_append(next + 1, next + 1, 2, 300));
  REQUIRE(open_and_read(*disk.fs.crashed([] { return false; }), small_options()) == disk.model);
}

TEST_CASE("a full disk that nobody asked about is an error of the sync") {
  full_disk disk;
  const auto next = disk.model.entries.size() + 1;
  disk.log->apply(make_append(next, next, 2, 500));
  REQUIRE_THROWS_WITH(disk.log->sync(), Catch::Contains("No space left"));
  REQUIRE_THROWS_AS(disk.log->apply(vote(9)), raft::storage_error);
  disk.full = false;
  REQUIRE(open_and_read(disk.fs, small_options()) == disk.model);
}

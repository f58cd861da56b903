#include "runtime/storage/wal.hpp"

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "tests/unit/storage/storage_model.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Random writes, syncs, reads, compactions and restarts against the model, which is not compacted.
void run_against_model(file_system& fs, const std::filesystem::path& directory, std::uint64_t seed, int steps) {
  random_source random{seed};
  log_model model;
  raft::index_t compacted = 0;
  raft::recovered found;
  auto log = wal::open(fs, directory, small_options(), found);
  for (int step = 0; step < steps; ++step) {
    const auto what = pick(random, 0, 20);
    if (what < 11) {
      const auto change = random_write(random, model, step % 10 == 0 ? 9000 : 300, compacted);
      log->apply(change);
      model.apply(change);
      if (change.reset_to) compacted = 0;
    } else if (what < 18) {
      log->sync();
      if (what == 17) REQUIRE(log->has_room());
    } else if (what < 19) {
      log->sync();
      compacted = pick(random, compacted, model.last_index());
      log->compact(compacted);
    } else {
      log->sync();
      log.reset();
      log = wal::open(fs, directory, small_options(), found);
      REQUIRE(found.notes.empty());
      REQUIRE(found.start.index <= std::max(compacted, model.start.index));
      const auto expected = model.behind(found.start.index);
      REQUIRE(same(found, expected.recovered()));
      std::uint64_t cost = 0;
      for (const auto& e : expected.entries) cost += e.cost();
      REQUIRE(raft::log_bytes{found.start.index, found.sizes}.behind(found.start.index) == cost);
    }
    const auto first = pick(random, compacted + 1, model.last_index() + 1);
    const auto last = pick(random, first, model.last_index() + 1);
    const auto bytes = pick(random, 0, 3000);
    REQUIRE(log->read(first, last, bytes) == model.read(first, last, bytes));
  }
  const auto left = model.behind(std::max(compacted, model.start.index));
  REQUIRE(log->read(left.start.index + 1, model.last_index(), SIZE_MAX) == left.entries);
}

} // namespace

TEST_CASE("the log behaves like a vector") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    memory_file_system fs{seed};
    run_against_model(fs, "/log", seed, 200);
  }
}

TEST_CASE("the log behaves like a vector on a real disk") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    posix_file_system fs;
    const temporary_folder directory;
    run_against_model(fs, directory.path() / "log", seed, 200);
  }
}

TEST_CASE("a sync takes one write and one sync of the file, whatever the batch contains") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  std::vector<disk_operation::kind_t> seen;
  fs.before_each([&](const disk_operation& operation) { seen.push_back(operation.kind); });
  auto change = make_append(1, 5, 7, 100);
  change.hard = raft::hard_state{7, {3}};
  log->apply(change);
  log->apply(make_append(6, 9, 7, 50));
  REQUIRE(seen.empty());
  log->sync();
  using enum disk_operation::kind_t;
  REQUIRE(seen == std::vector{write, sync});
  log->sync();
  REQUIRE(seen.size() == 2);
}

TEST_CASE("entries of one batch share one block when they are read") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  log->apply(make_append(1, 4, 1, 10));
  for (const bool synced : {false, true}) {
    CAPTURE(synced);
    if (synced) log->sync();
    const auto entries = log->read(1, 4, SIZE_MAX);
    REQUIRE(entries.size() == 4);
    // Adjacent in one block: padding, a record header, index and term are between the data of two entries.
    REQUIRE(entries[1].data.view().data() - entries[0].data.view().data() == 56);
  }
}

TEST_CASE("a segment can be full at any offset where a batch can end") {
  // The first batch fills the segment up to each possible distance from its end.
  for (std::size_t size = 0; size < 4096; size += 8) {
    CAPTURE(size);
    memory_file_system fs;
    log_model model;
    {
      raft::recovered found;
      const auto log = wal::open(fs, "/log", small_options(), found);
      for (const auto& change : {make_append(1, 1, 1, size), make_append(2, 3, 2, 20), make_append(4, 4, 2, 600)}) {
        log->apply(change);
        log->sync();
        model.apply(change);
      }
      REQUIRE(log->read(1, 4, SIZE_MAX) == model.entries);
    }
    std::vector<std::string> notes;
    REQUIRE(open_and_read(fs, small_options(), &notes) == model);
    REQUIRE(notes.empty());
  }
}

TEST_CASE("a batch larger than a segment gets its own segment") {
  memory_file_system fs;
  log_model model;
  {
    raft::recovered found;
    const auto log = wal::open(fs, "/log", small_options(), found);
    for (const auto& change : {make_append(1, 1, 1, 10), make_append(2, 40, 1, 1000), make_append(41, 41, 1, 10)}) {
      log->apply(change);
      log->sync();
      model.apply(change);
    }
  }
  REQUIRE(open_and_read(fs, small_options()) == model);
}

TEST_CASE("truncated entries stay truncated when others replace them") {
  memory_file_system fs;
  log_model model;
  raft::recovered found;
  auto log = wal::open(fs, "/log", small_options(), found);
  const auto write = [&](const raft::write& change) {
    log->apply(change);
    model.apply(change);
    log->sync();
  };
  write(make_append(1, 30, 1, 400)); // two segments
  for (raft::index_t from = 30; from > 0; from -= 3) {
    CAPTURE(from);
    raft::write cut;
    cut.truncate_from = from;
    write(cut);
    auto change = make_append(from, from + 1, 40 - from, 100);
    change.hard = raft::hard_state{40 - from, {from}};
    write(change);
    log = wal::open(fs, "/log", small_options(), found);
    REQUIRE(contents(*log, found) == model);
  }
}

TEST_CASE("rejects invalid options") {
  memory_file_system fs;
  raft::recovered found;
  REQUIRE_THROWS_AS(wal::open(fs, "/log", {.segment_size = 4096, .reserve = 4096}, found), raft::storage_error);
}

TEST_CASE("a write that does not fit closes the log for writing") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  REQUIRE_THROWS_AS(log->apply(make_append(2, 2, 1, 1)), raft::storage_error);
  REQUIRE_THROWS_WITH(log->apply(make_append(1, 1, 1, 1)), Catch::Contains("reopen it"));
  REQUIRE_THROWS_AS(log->sync(), raft::storage_error);
}

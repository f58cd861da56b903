// Power is lost before every single disk call; unsynced data is lost, kept, or torn at sectors.
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/crash_policies.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace troupe;
using namespace troupe::test;

namespace {

/// The logs that a crash may leave, and the index up to which they may be compacted.
struct outcome {
  std::vector<log_model> logs;
  raft::index_t compacted = 0;

  bool allows(const log_model& found) const {
    return std::any_of(logs.begin(), logs.end(), [&](const log_model& log) {
      const auto start = found.start.index;
      return start <= std::max(compacted, log.start.index) && start >= log.start.index && start <= log.last_index() &&
             log.behind(start) == found;
    });
  }
};

/// Opens what a crash left and checks it. With `nested`, also crashes at each disk call of the recovery. Then writes
/// more and restarts.
void check_crash(const memory_file_system& disk, const outcome& allowed, std::uint64_t seed, bool nested) {
  for (const auto& policy : crash_policies(seed)) {
    const auto after = disk.crashed(policy);
    if (nested) after->before_each([&](const disk_operation&) { check_crash(*after, allowed, seed + 1, false); });
    raft::recovered found;
    auto log = wal::open(*after, "/log", small_options(), found);
    after->before_each({});
    auto model = contents(*log, found);
    REQUIRE(allowed.allows(model));
    // What recovery reported must be on disk now.
    REQUIRE(open_and_read(*after->crashed([] { return false; }), small_options()) == model);
    const auto next = model.last_index() + 1;
    const auto change = make_append(next, next + 1, std::max<raft::term_t>(model.hard.term, 1000), 70);
    log->apply(change);
    model.apply(change);
    log->sync();
    std::vector<std::string> notes;
    REQUIRE(open_and_read(*after->crashed([] { return false; }), small_options(), &notes) == model);
    REQUIRE(notes.empty());
  }
}

void run_with_crashes(std::uint64_t seed, int batches, bool nested) {
  random_source random{seed};
  memory_file_system fs{seed};
  log_model synced;
  log_model applied;
  raft::index_t compacted = 0;
  std::uint64_t calls = 0;
  fs.before_each([&](const disk_operation&) {
    CAPTURE(seed, calls);
    check_crash(fs, {{synced, applied}, compacted}, seed * 1000 + ++calls, nested);
  });
  raft::recovered found;
  auto log = wal::open(fs, "/log", small_options(), found);
  for (int i = 0; i < batches; ++i) {
    for (auto writes = pick(random, 1, 3); writes > 0; --writes) {
      const auto change = random_write(random, applied, 500, compacted);
      log->apply(change);
      applied.apply(change);
    }
    log->sync();
    synced = applied;
    if (pick(random, 0, 4) == 0) log->compact(compacted = pick(random, compacted, applied.last_index()));
    if (pick(random, 0, 9) == 0) log = wal::open(fs, "/log", small_options(), found);
  }
  REQUIRE(calls >= static_cast<std::uint64_t>(batches));
  check_crash(fs, {{synced}, compacted}, seed, nested);
}

} // namespace

TEST_CASE("no crash loses synced entries or invents any") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) run_with_crashes(seed, 40, false);
}

TEST_CASE("a crash during recovery loses nothing either") {
  for (std::uint64_t seed = 101; seed <= 102; ++seed) run_with_crashes(seed, 9, true);
}

TEST_CASE("after a failed write or sync the log rejects everything, and reopening makes what it finds durable") {
  // Each call in turn fails once. The page cache still contains what the failed sync lost.
  using kind_t = disk_operation::kind_t;
  int failures = 0;
  for (int failing = 1; failing <= 60; ++failing) {
    CAPTURE(failing);
    memory_file_system fs;
    log_model synced;
    log_model applied;
    raft::recovered found;
    auto log = wal::open(fs, "/log", small_options(), found);
    int calls = 0;
    fs.before_each([&](const disk_operation& operation) {
      if (++calls != failing) return;
      throw file_error(operation.kind == kind_t::sync ? "sync" : "write", operation.path, EIO);
    });
    random_source random{7};
    try {
      for (int i = 0; i < 20; ++i) {
        const auto change = random_write(random, applied, 900);
        log->apply(change);
        applied.apply(change);
        log->sync();
        synced = applied;
      }
    } catch (const file_error& error) {
      ++failures;
      REQUIRE(error.code() == EIO);
      REQUIRE_THROWS_AS(log->sync(), raft::storage_error);
      REQUIRE_THROWS_AS(log->apply({}), raft::storage_error);
    }
    fs.before_each({});
    log.reset();
    const auto seen = open_and_read(fs, small_options());
    REQUIRE(outcome{{synced, applied}}.allows(seen));
    REQUIRE(open_and_read(*fs.crashed([] { return false; }), small_options()) == seen);
  }
  REQUIRE(failures > 30);
}

// Log and snapshots together: power is lost before every single disk call, or the call fails.
#include "tests/unit/storage/crash_policies.hpp"
#include "tests/unit/storage/node_history.hpp"
#include "tests/unit/storage/snapshot_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <iostream>

using namespace troupe;
using namespace troupe::test;
using kind_t = disk_operation::kind_t;

namespace {

bool is_one_of(const std::vector<log_model>& allowed, opened_node& node) {
  const auto found = node.read();
  return std::any_of(allowed.begin(), allowed.end(), [&](const log_model& model) {
    const auto start = found.start.index;
    return start <= model.last_index() && model.behind(start) == found && node.state == state_after(model.entries);
  });
}

void require_good(opened_node& node, const std::vector<log_model>& allowed) {
  REQUIRE_FALSE(node.found.state_lost);
  if (node.found.snapshot) {
    REQUIRE(node.found.start.index <= node.found.snapshot->last.index);
    REQUIRE(node.found.snapshot->last.index <= node.found.last_index);
  } else {
    REQUIRE(node.found.start.index == 0);
  }
  REQUIRE(is_one_of(allowed, node));
}

struct crash_counts {
  std::uint64_t points = 0; // number of calls before which power was lost
  std::uint64_t disks = 0;  // number of disk states checked afterwards
};

/// Opens several disk states that a crash may leave. What is reported then must be on disk, and the node must be able
/// to continue.
void check_crash(const memory_file_system& disk, const std::vector<log_model>& allowed, std::uint64_t seed, bool nested,
                 crash_counts& counts) {
  ++counts.points;
  for (const auto& policy : crash_policies(seed)) {
    ++counts.disks;
    const auto after = disk.crashed(policy);
    if (nested)
      after->before_each([&](const disk_operation&) { check_crash(*after, allowed, seed + 1, false, counts); });
    opened_node node{*after};
    after->before_each({});
    require_good(node, allowed);
    const auto durable = after->crashed([] { return false; });
    opened_node again{*durable};
    REQUIRE(again.state == node.state);
    REQUIRE(again.read() == node.read());
    const auto next = node.found.last_index + 1;
    node.log->apply(make_append(next, next, 1000, 50));
    node.log->sync();
    node.log.reset();
    const opened_node later{*after};
    REQUIRE(later.found.last_index == next);
    REQUIRE(later.state == state_after({make_append(next, next, 1000, 50).append}, node.state));
  }
}

crash_counts run_with_crashes(std::uint64_t seed, int steps, bool nested) {
  memory_file_system fs{seed};
  crash_counts counts;
  node_history history{fs, seed};
  fs.before_each([&](const disk_operation& operation) {
    CAPTURE(seed, counts.points, operation.path);
    check_crash(fs, history.allowed(), seed * 1000 + counts.points, nested, counts);
  });
  for (int i = 0; i < steps; ++i) history.step();
  check_crash(fs, {history.model()}, seed, nested, counts);
  return counts;
}

} // namespace

TEST_CASE("no crash loses acknowledged log entries and snapshots, or invents any") {
  crash_counts all;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto counts = run_with_crashes(seed, 60, false);
    all.points += counts.points;
    all.disks += counts.disks;
  }
  std::cout << "crash points: " << all.points << ", disks found after them: " << all.disks << ", violations: 0\n";
  REQUIRE(all.points > 800);
}

TEST_CASE("a crash during recovery loses nothing of log and snapshots either") {
  crash_counts all;
  for (std::uint64_t seed = 101; seed <= 102; ++seed) {
    const auto counts = run_with_crashes(seed, 15, true);
    all.points += counts.points;
    all.disks += counts.disks;
  }
  std::cout << "crash points, in recovery too: " << all.points << ", disks: " << all.disks << ", violations: 0\n";
  REQUIRE(all.points > 800);
}

TEST_CASE("if any disk call fails once, the error says where, nothing is lost, and the log rejects writes") {
  for (const int code : {EIO, ENOSPC}) {
    std::uint64_t failures = 0;
    for (std::uint64_t failing = 1;; ++failing) {
      CAPTURE(code, failing);
      memory_file_system fs{3};
      node_history history{fs, 3};
      std::uint64_t calls = 0;
      disk_operation failed;
      fs.before_each([&](const disk_operation& operation) {
        if (++calls != failing) return;
        failed = operation;
        throw file_error("call", operation.path, code);
      });
      bool thrown = false;
      try {
        for (int i = 0; i < 60; ++i) history.step();
      } catch (const file_error& error) {
        thrown = true;
        ++failures;
        REQUIRE(error.code() == code);
        REQUIRE_THAT(error.what(), Catch::Contains(failed.path.string()));
        const bool in_log = failed.path.string().starts_with("/data/log");
        if (auto* node = history.node(); node && in_log)
          REQUIRE_THROWS_WITH(node->log->apply({}), Catch::Contains("reopen it"));
        else if (node)
          REQUIRE_NOTHROW(node->log->sync());
      }
      fs.before_each({});
      crash_counts counts;
      check_crash(fs, history.allowed(), failing, false, counts);
      if (history.node()) history.node()->log.reset();
      opened_node node{fs};
      require_good(node, history.allowed());
      if (!thrown && calls < failing) break;
    }
    REQUIRE(failures > 150);
  }
}

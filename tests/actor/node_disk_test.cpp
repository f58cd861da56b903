// Opening a node's disk with a backup as the initial state, with a power loss before, or a failure of, every call.
#include "runtime/node_disk.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/unit/storage/crash_policies.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <iostream>
#include <troupe/log.hpp>
#include <troupe/services/map.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr raft::cluster_id old_cluster{8};
constexpr raft::cluster_id new_cluster{9};
const raft::snapshot_point taken_at{{40, 3}, 1, {}};

const std::vector<machine_factory> services_here{[] { return detail::make_machine(map_service{}); }};

raft::snapshot_id write_state(file_system& fs, const std::filesystem::path& folder, const detail::machine& map) {
  snapshot_dir files{fs, folder, old_cluster};
  const auto out = files.create(taken_at);
  map.view()->save(out->begin(map.name()));
  return out->finish();
}

/// A backup on a disk, and the directory of a node whose cluster was formed with it; the promise is still stored.
struct story {
  memory_file_system fs;
  raft::snapshot_id backup;
  membership_decision as{new_cluster, {{{{1}, "n1:1"}, {{2}, "n2:1"}}, {}, {}, {}}, false, 0};

  explicit story(std::uint64_t seed) : fs{seed} {
    set_log_level(log_level::off);
    map_service map;
    for (int i = 0; i < 50; ++i) map.apply(map::put{"m", std::to_string(i), value::of(std::string(40, 'x'))}, {1});
    backup = write_state(fs, "/backups", *detail::make_machine(std::move(map)));
    as.backup = backup.checksum;
    data_dir directory{fs, "/data"};
    raft::propose_formation promise{new_cluster, {1}, as.initial.voters, backup.checksum};
    directory.set_promise(encode(promise));
    directory.set_cluster(new_cluster, backup.checksum);
  }
  std::filesystem::path file() const { return std::filesystem::path{"/backups"} / snapshot_format::file_name(backup); }

  opened_log open(memory_file_system& on, const std::stop_token& stop = {}) const {
    const auto disk = std::make_shared<node_disk>(std::shared_ptr<file_system>{std::shared_ptr<void>{}, &on}, "/data");
    return open_disk(disk, small_options(), file())(as, services_here, stop);
  }
  /// Checks that the node starts with the backup's state, in its own cluster, and at the backup's log position.
  void require_restored(memory_file_system& on) const {
    const auto opened = open(on);
    REQUIRE(opened.disk.snapshot);
    REQUIRE(opened.disk.snapshot->last == taken_at.last);
    REQUIRE(opened.disk.snapshot->members == as.initial);
    REQUIRE(opened.disk.last_index == taken_at.last.index);
    REQUIRE_FALSE(opened.disk.state_lost);
    // The same state gives the same file.
    memory_file_system elsewhere;
    REQUIRE(write_state(elsewhere, "/copies", *opened.machines.at(std::string{map_service::name})) == backup);
  }
};

struct crash_counts {
  std::uint64_t points = 0;
  std::uint64_t disks = 0;
};

/// Checks that the node is restored when it is opened after a power loss, and after a second one.
void check_crash(const story& s, const memory_file_system& disk, std::uint64_t seed, bool once_more,
                 crash_counts& counts) {
  ++counts.points;
  auto policies = crash_policies(seed);
  policies.resize(once_more ? 3 : 1); // of the unsynced data, nothing remains; then also all, or some of it
  for (const auto& policy : policies) {
    ++counts.disks;
    const auto after = disk.crashed(policy);
    if (once_more) after->before_each([&](const disk_operation&) { check_crash(s, *after, seed + 1, false, counts); });
    s.open(*after);
    after->before_each({});
    // The result is durable: nothing has to be done again.
    s.require_restored(*after->crashed([] { return false; }));
  }
}

} // namespace

TEST_CASE("a node that starts from its backup reports no problem") {
  story s{3};
  CHECK(s.open(s.fs).disk.notes == std::vector<std::string>{});
  s.require_restored(s.fs);
  CHECK(s.open(s.fs).disk.notes == std::vector<std::string>{});
}

TEST_CASE("after any crash a node starts from its complete backup") {
  story s{1};
  crash_counts counts;
  s.fs.before_each([&](const disk_operation& operation) {
    CAPTURE(counts.points, operation.path);
    check_crash(s, s.fs, 100 + counts.points, true, counts);
  });
  s.open(s.fs);
  s.fs.before_each({});
  check_crash(s, s.fs, 1, true, counts);
  std::cout << "restore of a backup at the first start: crash points, in what follows one too: " << counts.points
            << ", disks found after them: " << counts.disks << ", violations: 0\n";
  CHECK(counts.points > 200);
}

TEST_CASE(
    "every call to the disk fails once while a backup is restored: the error says so, and the next start is good") {
  for (const int code : {EIO, ENOSPC}) {
    std::uint64_t failures = 0;
    for (std::uint64_t failing = 1;; ++failing) {
      CAPTURE(code, failing);
      story s{2};
      std::uint64_t calls = 0;
      s.fs.before_each([&](const disk_operation& operation) {
        if (++calls == failing) throw file_error("call", operation.path, code);
      });
      bool failed = false;
      try {
        s.open(s.fs);
      } catch (const raft::storage_error& error) {
        failed = true;
        ++failures;
        CHECK(error.no_space() == (code == ENOSPC));
      }
      s.fs.before_each({});
      s.require_restored(s.fs);
      if (!failed && calls < failing) break;
    }
    CHECK(failures > 10);
  }
}

TEST_CASE("opening a disk can be stopped at any time, and the next start succeeds") {
  std::uint64_t stops = 0;
  for (std::uint64_t stopping = 1;; ++stopping) {
    CAPTURE(stopping);
    story s{3};
    std::stop_source stop;
    std::uint64_t calls = 0;
    s.fs.before_each([&](const disk_operation&) {
      if (++calls == stopping) stop.request_stop();
    });
    bool stopped = false;
    try {
      s.open(s.fs, stop.get_token());
    } catch (const raft::reading_stopped&) {
      stopped = true;
      ++stops;
    }
    s.fs.before_each({});
    s.require_restored(s.fs);
    if (!stopped && calls < stopping) break;
  }
  CHECK(stops > 10);
}

TEST_CASE("reading a log or a snapshot ends after a stop") {
  story s{4};
  s.open(s.fs);
  std::stop_source stop;
  SECTION("a snapshot, when its service has started to read") {
    struct stopping_machine final : detail::machine {
      explicit stopping_machine(std::stop_source& stop) : stop_(stop), map_(detail::make_machine(map_service{})) {}
      std::string_view name() const noexcept override { return map_->name(); }
      detail::reply apply(std::string_view, std::string_view, const apply_context&) override { return {}; }
      detail::reply query(std::string_view, std::string_view) const override { return {}; }
      std::unique_ptr<detail::machine_view> view() const override { return map_->view(); }
      void load(detail::snapshot_source& from) override {
        stop_.request_stop();
        map_->load(from);
      }
      std::stop_source& stop_;
      std::unique_ptr<detail::machine> map_;
    };
    const auto disk =
        std::make_shared<node_disk>(std::shared_ptr<file_system>{std::shared_ptr<void>{}, &s.fs}, "/data");
    const std::vector<machine_factory> services{[&] { return std::make_unique<stopping_machine>(stop); }};
    CHECK_THROWS_AS(open_disk(disk, small_options(), s.file())(s.as, services, stop.get_token()),
                    raft::reading_stopped);
  }
  SECTION("a log") {
    {
      raft::recovered found;
      const auto log = wal::open(s.fs, "/data/log", small_options(), found);
      raft::write more;
      more.append.push_back({found.last_index + 1, 100, raft::entry_kind::noop, {}});
      log->apply(more);
      log->sync();
    }
    stop.request_stop();
    raft::recovered found;
    CHECK_THROWS_AS(wal::open(s.fs, "/data/log", small_options(), found, stop.get_token()), raft::reading_stopped);
  }
  s.open(s.fs);
}

#include "runtime/offline/repair.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/storage/data_dir.hpp"
#include "tests/unit/offline/offline_node.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

const std::filesystem::path archive = "/data/before-repair-1";

/// The offset after the vote of the first batch.
constexpr auto damaged_at = wal_format::first_record + 40;

/// A directory whose third segment is damaged at its first entry.
struct damaged_disk {
  memory_file_system fs;
  raft::node_id id;
  std::string damaged_bytes;

  damaged_disk() : id(make_directory(fs, "/data", {.snapshot_at = 5})) {
    fs.flip_byte(segment("/data", 3), damaged_at + 30);
    damaged_bytes = fs.content(segment("/data", 3)).substr(damaged_at);
  }
};

} // namespace

TEST_CASE("a good directory or a torn tail needs no repair") {
  memory_file_system fs;
  make_directory(fs, "/data", {});
  const auto last = std::filesystem::path{"/data/log"} / fs.list("/data/log").end()[-2];
  fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  for (const bool torn : {false, true}) {
    if (torn) fs.flip_byte(last, fs.content(last).find_last_not_of('\0'));
    captured shown;
    REQUIRE(offline::repair(fs, "/data", true, shown.to) == offline::all_good);
    REQUIRE_THAT(shown.out.str(), Contains("nothing to repair"));
    if (torn) REQUIRE_THAT(shown.out.str(), Contains("by itself: cut a torn tail"));
  }
}

TEST_CASE("nothing changes unless the operator says yes") {
  damaged_disk disk;
  disk.fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  captured shown;
  REQUIRE(offline::repair(disk.fs, "/data", false, shown.to) == offline::bad_usage);
  REQUIRE(shown.asked == 1);
  REQUIRE_THAT(shown.err.str(), Contains(segment("/data", 3).string()) && Contains("NEW node") &&
                                    Contains(to_string(disk.id)) && Contains("nothing was changed"));
}

TEST_CASE("a repaired directory is that of a new node, and the old files are kept, cut at the damage") {
  damaged_disk disk;
  disk.fs.make_directory("/data/staged");
  disk.fs.create("/data/staged/backup");
  captured shown;
  shown.answer = true;
  REQUIRE(offline::repair(disk.fs, "/data", false, shown.to) == offline::all_good);
  {
    const data_dir fresh{disk.fs, "/data"};
    REQUIRE(fresh.id() != disk.id);
    REQUIRE_FALSE(fresh.cluster());
    REQUIRE(disk.fs.list(fresh.log_path()).empty());
    REQUIRE_THAT(shown.out.str(),
                 Contains("-d '{\"id\": \"" + to_string(fresh.id()) + "\", \"address\": \"here:1\", \"replaces\": \"" +
                          to_string(disk.id) + "\"}' http://MEMBER/v1/members"));
  }
  REQUIRE(disk.fs.list("/data/snapshots").empty());
  REQUIRE(start(disk.fs, "/data").last_index == 0);
  // The old files can be read up to the damage.
  const offline::directory old{disk.fs, archive, offline::access::read_only};
  REQUIRE(old.stored_identity()->id == disk.id);
  const auto log = offline::examine_log(old);
  REQUIRE_FALSE(log.problem);
  REQUIRE(log.segments.size() == 3);
  REQUIRE(log.found.last_index + 1 == log.segments[2].header.first_index);
  REQUIRE(disk.fs.list(archive / "snapshots").size() == 1);
  REQUIRE(disk.fs.list(archive / "staged") == std::vector<std::string>{"backup"});
  REQUIRE(disk.fs.list("/data/staged").empty());
  const auto removed = disk.fs.list(archive / "removed");
  REQUIRE(removed.size() > 1);
  REQUIRE(removed[0] == wal_format::segment_name(3) + ".from-" + std::to_string(damaged_at));
  REQUIRE(disk.fs.content(archive / "removed" / removed[0]) == disk.damaged_bytes);
  REQUIRE(removed[1] == wal_format::segment_name(4));
  // A second repair uses another directory.
  disk.fs.remove("/data/identity");
  disk.fs.create("/data/identity")->write(0, "nonsense");
  captured again;
  REQUIRE(offline::repair(disk.fs, "/data", true, again.to) == offline::all_good);
  REQUIRE(disk.fs.content("/data/before-repair-2/identity") == "nonsense");
}

TEST_CASE("removes a segment with a bad header as a whole, and all segments after a missing one") {
  damaged_disk disk;
  SECTION("bad header") { disk.fs.flip_byte(segment("/data", 2), 20); }
  SECTION("missing") { disk.fs.remove(segment("/data", 2)); }
  captured shown;
  REQUIRE(offline::repair(disk.fs, "/data", true, shown.to) == offline::all_good);
  REQUIRE(disk.fs.list(archive / "log").size() == 1);
  REQUIRE_FALSE(offline::examine_log(offline::directory{disk.fs, archive, offline::access::read_only}).problem);
}

TEST_CASE("a damaged identity makes a new node too, and the whole log is kept") {
  memory_file_system fs;
  make_directory(fs, "/data", {});
  fs.flip_byte("/data/identity", 15);
  captured shown;
  REQUIRE(offline::repair(fs, "/data", true, shown.to) == offline::all_good);
  REQUIRE(data_dir{fs, "/data"}.id());
  REQUIRE(fs.list(archive / "removed").empty());
  REQUIRE(fs.list(archive / "log").size() > 3);
  REQUIRE_THAT(shown.out.str(), Contains(R"("replaces": "OLD")") && Contains("OLD is the old id"));
}

TEST_CASE("an identity of a newer version is not damaged") {
  memory_file_system fs;
  make_directory(fs, "/data", {});
  fs.flip_byte("/data/identity", 10);
  captured shown;
  REQUIRE_THROWS_WITH(offline::repair(fs, "/data", true, shown.to), Contains("format version"));
  REQUIRE_FALSE(fs.exists(archive));
}

TEST_CASE("takes the address of a repaired node from the snapshot if its log does not contain it") {
  memory_file_system fs;
  make_directory(fs, "/data", {.snapshot_at = 12, .compacted = true});
  fs.flip_byte(segment("/data", 5), damaged_at + 30);
  captured shown;
  REQUIRE(offline::repair(fs, "/data", true, shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(), Contains(R"("address": "here:1")"));
}

TEST_CASE("a member without its log can only become a new node") {
  memory_file_system fs;
  const auto id = make_directory(fs, "/data", {.snapshot_at = 5});
  for (const auto& name : fs.list("/data/log")) fs.remove(std::filesystem::path{"/data/log"} / name);
  captured shown;
  REQUIRE(offline::repair(fs, "/data", true, shown.to) == offline::all_good);
  REQUIRE_THAT(shown.err.str(), Contains("is missing"));
  REQUIRE(data_dir{fs, "/data"}.id() != id);
  REQUIRE(start(fs, "/data").last_index == 0);
  REQUIRE(fs.list(archive / "snapshots").size() == 1);
}

TEST_CASE("repairs only damage") {
  memory_file_system fs;
  make_directory(fs, "/data", {});
  fs.flip_byte(segment("/data", 2), 11); // the version
  captured shown;
  REQUIRE_THROWS_WITH(offline::repair(fs, "/data", true, shown.to), Contains("format version"));
  REQUIRE_FALSE(fs.exists(archive));
}

TEST_CASE("no crash of a repair lets the old node start without its log") {
  damaged_disk disk;
  int points = 0;
  disk.fs.before_each([&](const disk_operation&) {
    for (const bool lands : {false, true}) {
      CAPTURE(++points, lands);
      const auto after = disk.fs.crashed([&] { return lands; });
      try {
        const data_dir found{*after, "/data"};
        if (found.id() != disk.id) continue;
        raft::recovered out;
        wal::open(*after, found.log_path(), {}, out);
        FAIL("the old node starts");
      } catch (const raft::storage_error&) { // the old node does not start
      }
    }
  });
  captured shown;
  REQUIRE(offline::repair(disk.fs, "/data", true, shown.to) == offline::all_good);
  REQUIRE(points > 40);
}

#include "runtime/offline/inspect.hpp"

#include "runtime/offline/directory.hpp"
#include "runtime/offline/entry_text.hpp"
#include "runtime/offline/repair.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "services/command.hpp"
#include "services/restore_command.hpp"
#include "tests/unit/offline/offline_node.hpp"
#include "tests/unit/small_mount.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <iostream>
#include <new>
#include <troupe/json.hpp>
#include <troupe/msgpack_serializer.hpp>
#include <troupe/services/map_service.hpp>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

/// A directory whose changes fail the test.
struct watched {
  memory_file_system fs;
  raft::node_id id;
  explicit watched(const directory_options& how) : id(make_directory(fs, "/data", how)) { watch(); }
  void watch() {
    fs.before_each([](const disk_operation&) { FAIL("something was changed"); });
  }
  std::filesystem::path snapshot() { return std::filesystem::path{"/data/snapshots"} / fs.list("/data/snapshots")[0]; }
};

} // namespace

TEST_CASE("inspect shows identity, segments, terms and snapshots, and changes nothing") {
  watched disk{{.snapshot_at = 12, .compacted = true}};
  captured shown;
  REQUIRE(offline::inspect(disk.fs, "/data", shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(), Contains(to_string(disk.id)) && Contains(to_string(old_cluster)) &&
                                    Contains("term       3, voted for " + to_string(disk.id)) &&
                                    Contains(" ... 20, after entry ") && Contains("term 3 from entry 20") &&
                                    Contains("0000000000000004.wal") && !Contains("0000000000000001.wal") &&
                                    Contains("up to entry 12 of term 1"));
}

TEST_CASE("shows one entry according to its kind") {
  watched disk{{.entries = 4}};
  const auto line = [&](raft::index_t index) {
    captured shown;
    REQUIRE(offline::inspect_entry(disk.fs, "/data", index, shown.to) == offline::all_good);
    return shown.out.str();
  };
  REQUIRE(line(1) == R"({"index":1,"term":1,"kind":"configuration","voters":[{"id":")" + to_string(disk.id) +
                         R"(","address":"here:1"},{"id":"0000000000000008","address":"eight:1"}],"outgoing":[],)" +
                         R"("learners":[{"id":"0000000000000009","address":"nine:1"}]})" + "\n");
  REQUIRE(line(2) == R"({"index":2,"term":1,"kind":"noop"})"
                     "\n");
  REQUIRE_THAT(line(4), Contains(R"({"index":4,"term":3,"kind":"command","service":"map","tag":"put","bytes":)") &&
                            Contains(R"("payload":["key4","vvv)"));
  captured shown;
  REQUIRE_THROWS_WITH(offline::inspect_entry(disk.fs, "/data", 5, shown.to), Contains("the log has entries 1 ... 4"));
}

TEST_CASE("a configuration shows pending promotions and whom they replace") {
  raft::configuration c{
      {{raft::node_id{1}, "one:1"}}, {}, {}, {{raft::node_id{2}, {}}, {raft::node_id{3}, raft::node_id{1}}}};
  const raft::entry shown{7, 2, raft::entry_kind::configuration, raft::bytes{encode(c)}};
  REQUIRE_THAT(offline::to_json(shown), Contains(R"("learners":[],"promotions":[{"learner":"0000000000000002"},)"
                                                 R"({"learner":"0000000000000003","replaces":"0000000000000001"}]})"));
}

TEST_CASE("values of maps are shown as the API shows them") {
  const auto shown = [](const auto& message) {
    using message_type = std::decay_t<decltype(message)>;
    return offline::to_json(
        {9, 2, raft::entry_kind::command,
         raft::bytes{services::encode_command("map", message_type::tag, msgpack_serializer::encode(message))}});
  };
  const auto value = from_json(R"({"a":[1,2.5,"x"]})").value();
  CHECK_THAT(shown(map::put{"m", "k", value}), Contains(R"("payload":["m","k",{"a":[1,2.5,"x"]}]})"));
  CHECK_THAT(shown(map::compare_and_swap{"m", "k", {}, value}), Contains(R"(["m","k",null,{"a":[1,2.5,"x"]}]})"));
  CHECK_THAT(shown(map::compare_and_swap{"m", "k", value, {}}), Contains(R"(["m","k",{"a":[1,2.5,"x"]},null]})"));
  CHECK_THAT(shown(map::remove{"m", "k"}), Contains(R"("payload":["m","k"]})"));
}

TEST_CASE("data that cannot be decoded is shown as bytes") {
  raft::entry odd{7, 2, raft::entry_kind::command, raft::bytes{std::string("\x07zzz", 4)}};
  REQUIRE_THAT(offline::to_json(odd), Contains(R"("problem":")") && Contains(R"("data":{"$bin":"B3p6eg=="})"));
  odd.kind = raft::entry_kind::configuration;
  REQUIRE_THAT(offline::to_json(odd), Contains("the bytes are not a configuration"));
  odd.kind = raft::entry_kind::command;
  odd.data = raft::bytes{services::encode_restore({{5, 2}, 100, 0xab})};
  REQUIRE_THAT(offline::to_json(odd), Contains(R"("service":"$cluster","tag":"restore","backup":"0000000000000005-)"));
}

TEST_CASE("dump shows every entry, one per line") {
  watched disk{{.snapshot_at = 12, .compacted = true}};
  captured shown;
  REQUIRE(offline::dump(disk.fs, "/data", shown.to) == offline::all_good);
  const auto text = shown.out.str();
  captured whole;
  offline::inspect(disk.fs, "/data", whole.to);
  REQUIRE_THAT(whole.out.str(), Contains("entries    " + text.substr(9, text.find(',') - 9) + " ... 20"));
  REQUIRE_THAT(text, Contains(R"({"index":20,"term":3,)"));
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 21 - std::stol(text.substr(9)));
}

TEST_CASE("verify finds nothing wrong with a good directory") {
  for (const bool compacted : {false, true}) {
    watched disk{{.snapshot_at = 12, .compacted = compacted}};
    captured shown;
    REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::all_good);
    REQUIRE_THAT(shown.out.str(), Contains("good: ") && Contains("entries up to 20, 1 snapshots"));
  }
}

TEST_CASE("verify reports all damage and how to repair it") {
  watched disk{{.snapshot_at = 12, .compacted = true}};
  disk.fs.flip_byte(segment("/data", 5), wal_format::first_record + 100);
  disk.fs.flip_byte(disk.snapshot(), 150);
  disk.fs.flip_byte("/data/identity", 15);
  captured shown;
  REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::damage_found);
  REQUIRE_THAT(shown.out.str(), Contains("damaged identity file") && Contains(segment("/data", 5).string()) &&
                                    Contains("`troupe-log repair /data`") && Contains(disk.snapshot().string()));
}

TEST_CASE("verify reports that the state is lost") {
  watched disk{{.snapshot_at = 12, .compacted = true}};
  disk.fs.before_each({});
  disk.fs.remove(disk.snapshot());
  disk.watch();
  captured shown;
  REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::damage_found);
  REQUIRE_THAT(shown.out.str(), Contains("the state is lost"));
}

TEST_CASE("a torn tail is not damage: the next start cuts it") {
  watched disk{{}};
  const auto last = disk.fs.list("/data/log").end()[-2]; // before the spare
  const auto path = std::filesystem::path{"/data/log"} / last;
  const auto bytes = disk.fs.content(path);
  disk.fs.flip_byte(path, bytes.find_last_not_of('\0'));
  captured shown;
  REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(), Contains("a start would do this: cut a torn tail") && Contains("entries up to 19"));
}

TEST_CASE("rejects a directory that is in use or is not a data directory") {
  watched disk{{}};
  captured shown;
  std::string holder;
  {
    const auto lock = disk.fs.lock("/data/lock", holder);
    REQUIRE_THROWS_AS(offline::inspect(disk.fs, "/data", shown.to), offline::usage_error);
    REQUIRE_THROWS_WITH(offline::verify(disk.fs, "/data", shown.to), Contains("in use"));
  }
  REQUIRE_THROWS_WITH(offline::dump(disk.fs, "/data/log", shown.to), Contains("not a data directory"));
}

TEST_CASE("checks and shows a snapshot file at any path") {
  watched disk{{.snapshot_at = 12}};
  captured shown;
  REQUIRE(offline::verify_snapshot_file(disk.fs, disk.snapshot(), file_role::snapshot, shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(), Contains("cluster   " + to_string(old_cluster)) &&
                                    Contains("up to     entry 12 of term 1") &&
                                    Contains(to_string(disk.id) + "@here:1") && Contains("service   map, 15 bytes"));
  disk.fs.flip_byte(disk.snapshot(), disk.fs.content(disk.snapshot()).find("the map's bytes"));
  captured damaged;
  REQUIRE(offline::verify_snapshot_file(disk.fs, disk.snapshot(), file_role::snapshot, damaged.to) ==
          offline::damage_found);
  REQUIRE_THAT(damaged.out.str(), Contains("damaged snapshot") && Contains("offset"));
  REQUIRE_THROWS_AS(offline::verify_snapshot_file(disk.fs, "/none", file_role::backup, shown.to), offline::usage_error);
  // Header and end may still be good.
  CHECK(offline::inspect_snapshot_file(disk.fs, disk.snapshot(), file_role::backup, damaged.to) == offline::all_good);
  CHECK_THROWS_AS(offline::inspect_snapshot_file(disk.fs, "/none", file_role::backup, shown.to), offline::usage_error);
}

TEST_CASE("inspecting a backup shows the same checksum and size as verifying it") {
  watched disk{{.snapshot_at = 12}};
  captured seen;
  captured verified;
  REQUIRE(offline::inspect_snapshot_file(disk.fs, disk.snapshot(), file_role::backup, seen.to) == offline::all_good);
  offline::verify_snapshot_file(disk.fs, disk.snapshot(), file_role::backup, verified.to);
  const auto text = verified.out.str();
  REQUIRE_THAT(seen.out.str(), Contains(text.substr(text.find("checksum"), 26)) &&
                                   Contains(std::to_string(disk.fs.content(disk.snapshot()).size()) + " bytes"));
}

TEST_CASE("shows the part of a damaged log before the damage") {
  watched disk{{}};
  const auto whole = offline::examine_log({disk.fs, "/data", offline::access::read_only}).segments;
  auto last_good = whole[2].header.first_index - 1;
  SECTION("at a segment's last entry") {
    disk.fs.flip_byte(segment("/data", 3), disk.fs.content(segment("/data", 3)).rfind("key"));
    last_good = whole[3].header.first_index - 2;
  }
  SECTION("at its first entry") { disk.fs.flip_byte(segment("/data", 3), wal_format::first_record + 70); }
  SECTION("in its header") { disk.fs.flip_byte(segment("/data", 3), 20); }
  captured shown;
  REQUIRE(offline::inspect(disk.fs, "/data", shown.to) == offline::damage_found);
  REQUIRE_THAT(shown.out.str(), Contains("readable before the damage:") && Contains("0000000000000002.wal") &&
                                    Contains("entries    1 ... ") && Contains(R"("address":"here:1")") &&
                                    !Contains("0000000000000004.wal") && !Contains("a start would do this"));
  captured dumped;
  REQUIRE(offline::dump(disk.fs, "/data", dumped.to) == offline::damage_found);
  const auto text = dumped.out.str();
  REQUIRE(static_cast<raft::index_t>(std::count(text.begin(), text.end(), '\n')) == last_good);
  REQUIRE_THAT(shown.out.str(), Contains("entries    1 ... " + std::to_string(last_good) + "\n"));
  REQUIRE_THAT(dumped.err.str(), Contains("damaged log"));
  captured one;
  REQUIRE(offline::inspect_entry(disk.fs, "/data", 3, one.to) == offline::damage_found);
  REQUIRE_THAT(one.out.str(), Contains(R"({"index":3,)"));
  REQUIRE_THAT(one.err.str(), Contains("damaged log"));
  captured none;
  REQUIRE(offline::inspect_entry(disk.fs, "/data", 15, none.to) == offline::damage_found);
  REQUIRE(none.out.str().empty());
}

TEST_CASE("a missing log does not count as an empty one") {
  watched disk{{.snapshot_at = 5}};
  disk.fs.before_each({});
  for (const auto& name : disk.fs.list("/data/log")) disk.fs.remove(std::filesystem::path{"/data/log"} / name);
  disk.watch();
  captured shown;
  REQUIRE_THROWS_WITH(offline::dump(disk.fs, "/data", shown.to),
                      Contains("is missing") && Contains("`troupe-log repair /data`"));
  REQUIRE(offline::inspect(disk.fs, "/data", shown.to) == offline::damage_found);
}

TEST_CASE("inspect finds the members in the snapshot, and damage of its header") {
  watched disk{{.snapshot_at = 12, .compacted = true}};
  captured shown;
  REQUIRE(offline::inspect(disk.fs, "/data", shown.to) == offline::all_good);
  REQUIRE_THAT(shown.out.str(),
               Contains("members    in the snapshot, as of entry 1: " + to_string(disk.id) + "@here:1") &&
                   Contains("only headers read; `verify` reads all of them"));
  disk.fs.flip_byte(disk.snapshot(), 30);
  captured damaged;
  REQUIRE(offline::inspect(disk.fs, "/data", damaged.to) == offline::damage_found);
  REQUIRE_THAT(damaged.out.str(), Contains("damaged snapshot: bad header"));
}

TEST_CASE("a file that cannot be read is not damage") {
  watched disk{{.snapshot_at = 12}};
  disk.fs.flip_byte(disk.snapshot(), 8); // the version
  captured shown;
  REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::bad_usage);
  REQUIRE_THAT(shown.out.str(), Contains("format version"));
  disk.fs.flip_byte("/data/identity", 40);
  REQUIRE(offline::verify(disk.fs, "/data", shown.to) == offline::damage_found);
  CHECK(offline::exit_code_of(file_error("open", "/data/log", EACCES)) == offline::bad_usage);
  CHECK(offline::exit_code_of(damage_error("damaged", "/data/log", 3)) == offline::damage_found);
  CHECK(offline::exit_code_of(std::bad_alloc{}) == offline::bad_usage);
}

TEST_CASE("a directory on a read-only disk is inspected with or without a lock file, and not changed") {
  const temporary_folder folder;
  const small_mount disk{folder.path(), "1m"};
  if (!disk.why_not().empty()) {
    std::cout << "skipped: a small file system cannot be mounted here (" << disk.why_not() << ")\n";
    return;
  }
  posix_file_system fs;
  const auto path = folder / "data";
  make_directory(fs, path, {.entries = 4});
  REQUIRE(fs.exists(path / "lock"));
  for (const bool locked : {true, false}) {
    CAPTURE(locked);
    if (!locked) fs.remove(path / "lock");
    REQUIRE(::mount(nullptr, folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    captured shown;
    CHECK(offline::verify(fs, path, shown.to) == offline::all_good);
    CHECK(offline::inspect(fs, path, shown.to) == offline::all_good);
    CHECK(offline::dump(fs, path, shown.to) == offline::all_good);
    CHECK((shown.err.str().find("reading without a lock: open") == std::string::npos) == locked);
    CHECK_THROWS_AS(offline::repair(fs, path, true, shown.to), file_error);
    REQUIRE(::mount(nullptr, folder.path().c_str(), nullptr, MS_REMOUNT, nullptr) == 0);
  }
}

#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_reader.hpp"
#include "tests/unit/storage/snapshot_model.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::size_t block = snapshot_format::max_body;
constexpr raft::cluster_id cluster{0xc1};

const services_state small_state{{"map", "abc"}, {"n", "of a service with a short name"}, {"empty", ""}};

std::vector<std::string> names_in(file_system& fs) { return fs.list("/snapshots"); }

} // namespace

TEST_CASE("a snapshot returns what was written") {
  posix_file_system real;
  memory_file_system simulated;
  const temporary_folder folder;
  const services_state state{{"none", ""},
                             {"one", some_bytes(1, 1)},
                             {"just below a block", some_bytes(block - 1, 2)},
                             {"a block", some_bytes(block, 3)},
                             {"just above a block", some_bytes(block + 1, 4)},
                             {"three blocks", some_bytes(3 * block, 5)},
                             {"none at the end", ""}};
  for (file_system* fs : std::initializer_list<file_system*>{&simulated, &real}) {
    const auto directory = folder.path() / "snapshots";
    snapshot_dir files{*fs, directory, cluster};
    const auto at = make_point(77, 5);
    const auto id = write_snapshot(files, at, state);
    REQUIRE(files.list() == std::vector{id});
    REQUIRE(id.last == at.last);
    raft::snapshot_point found;
    REQUIRE(load_snapshot(files, id, &found) == state);
    REQUIRE(found == at);
    // A service may ignore its bytes or read only a part of them.
    std::size_t sections = 0;
    files.load(id, [&](std::string_view, detail::snapshot_source& source) {
      char some[10];
      if (++sections % 2 == 0) source.read(some);
    });
    REQUIRE(sections == state.size());
    const auto summary = verify_snapshot(*fs, directory / snapshot_format::file_name(id));
    REQUIRE(summary.header == snapshot_format::header{cluster, at});
    REQUIRE(summary.id == id);
    REQUIRE(summary.sections.size() == state.size());
    REQUIRE(summary.sections[5] == snapshot_summary::section{"three blocks", 3 * block});
  }
}

TEST_CASE("a snapshot without services is valid") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  const auto id = write_snapshot(files, make_point(1, 1), {});
  REQUIRE(id);
  REQUIRE(load_snapshot(files, id).empty());
}

TEST_CASE("rejects two services with the same name as a caller's bug") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  const auto out = files.create(make_point(1, 1));
  out->begin("map");
  REQUIRE_THROWS_AS(out->begin("map"), std::logic_error);
}

TEST_CASE("snapshots are listed newest first and pruned oldest first") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  std::vector<raft::snapshot_id> newest_first;
  for (const auto& last : {raft::log_position{9, 1}, {10, 1}, {255, 2}, {256, 3}, {4096, 3}})
    newest_first.insert(newest_first.begin(), write_snapshot(files, make_point(last.index, last.term), small_state));
  REQUIRE(files.list() == newest_first);
  fs.create("/snapshots/notes.txt");
  newest_first.resize(2);
  std::vector<std::filesystem::path> removed;
  fs.before_each([&](const disk_operation& operation) {
    if (operation.kind == disk_operation::kind_t::remove) removed.push_back(operation.path);
  });
  REQUIRE(files.prune(2) == newest_first);
  REQUIRE(std::is_sorted(removed.begin(), removed.end()));
  REQUIRE(files.list() == newest_first);
  REQUIRE(files.prune(5) == newest_first);
  REQUIRE(fs.exists("/snapshots/notes.txt"));
}

TEST_CASE("an unfinished snapshot is removed, and those of an earlier process are pruned") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  const auto id = write_snapshot(files, make_point(5, 1), small_state);
  {
    const auto dropped = files.create(make_point(6, 1));
    dropped->begin("map").write(some_bytes(2 * block, 1));
    const auto half_received = files.receive({{7, 1}, 100, 1});
    half_received->write("half");
    const auto after = fs.crashed([] { return true; }); // the files, without the objects
    snapshot_dir others{*after, "/snapshots", cluster};
    REQUIRE(names_in(*after).size() == 3);
    REQUIRE(others.prune(3) == std::vector{id});
    REQUIRE(names_in(*after).size() == 1);
    REQUIRE(files.prune(3) == std::vector{id});
    REQUIRE(names_in(fs).size() == 3);
  }
  REQUIRE(names_in(fs).size() == 1);
}

TEST_CASE("a snapshot can be read to the end after it was removed") {
  posix_file_system fs;
  const temporary_folder folder;
  snapshot_dir files{fs, folder.path(), cluster};
  const auto id = write_snapshot(files, make_point(5, 1), {{"map", some_bytes(3 * block, 1)}});
  const auto bytes = files.open(id);
  REQUIRE(files.prune(0).empty());
  REQUIRE_THROWS_AS(files.open(id), raft::storage_error);
  std::uint64_t size = 0;
  for (std::string part; !(part = bytes->read(size, 5000)).empty();) size += part.size();
  REQUIRE(size == id.size);
  REQUIRE(bytes->read(size + 5, 10).empty());
}

TEST_CASE("a sent snapshot is identical to the original") {
  memory_file_system a;
  memory_file_system b;
  snapshot_dir from{a, "/snapshots", cluster};
  snapshot_dir to{b, "/snapshots", cluster};
  const services_state state{{"map", some_bytes(2 * block + 99, 1)}, {"queue", "x"}};
  const auto at = make_point(31, 4);
  const auto id = write_snapshot(from, at, state);
  for (const std::size_t chunk : {std::size_t{700}, std::size_t{70000}, 9 * block}) {
    CAPTURE(chunk);
    REQUIRE(send_snapshot(from, to, id, chunk) == at);
    REQUIRE(to.list() == std::vector{id});
    REQUIRE(load_snapshot(to, id) == state);
    to.prune(0);
  }
}

TEST_CASE("rejects bytes that are not the announced snapshot") {
  memory_file_system fs;
  snapshot_dir from{fs, "/from", cluster};
  snapshot_dir to{fs, "/to", cluster};
  const auto id = write_snapshot(from, make_point(31, 4), small_state);
  const auto good = from.open(id)->read(0, id.size);
  const auto refusal_of = [&](std::string_view bytes, const raft::snapshot_id& announced) -> std::string {
    try {
      const auto sink = to.receive(announced);
      sink->write(bytes);
      sink->finish([](std::string_view, detail::snapshot_source&) {});
    } catch (const raft::storage_error& error) {
      REQUIRE(to.list().empty());
      return error.what();
    }
    return "none";
  };
  auto other = id;
  other.checksum ^= 1;
  REQUIRE_THAT(refusal_of(good, other), Catch::Contains("does not match its id"));
  other = id;
  other.last.term = 9;
  REQUIRE_THAT(refusal_of(good, other), Catch::Contains("does not match its id"));
  REQUIRE_THAT(refusal_of(good + "x", id), Catch::Contains("more bytes"));
  other = id;
  other.size += 1;
  REQUIRE_THAT(refusal_of(good + "x", other), Catch::Contains("after the end"));
  REQUIRE_THAT(refusal_of(good.substr(0, good.size() - 1), id), Catch::Contains("damaged"));
  auto flipped = good;
  flipped[100] = static_cast<char>(flipped[100] ^ 1);
  REQUIRE_THAT(refusal_of(flipped, id), Catch::Contains("damaged"));
  REQUIRE_THAT(refusal_of("", id), Catch::Contains("incomplete"));
  REQUIRE(fs.list("/to").empty());
  REQUIRE(refusal_of(good, id) == "none");
}

TEST_CASE("rejects a snapshot of another cluster and names both clusters") {
  memory_file_system fs;
  snapshot_dir ours{fs, "/ours", cluster};
  snapshot_dir theirs{fs, "/theirs", {0xdd}};
  const auto id = write_snapshot(theirs, make_point(31, 4), small_state);
  REQUIRE_THROWS_WITH(send_snapshot(theirs, ours, id, 1000), Catch::Contains("00000000000000dd, not 00000000000000c1"));
  REQUIRE(ours.list().empty());
}

TEST_CASE("a backup becomes a new cluster's first snapshot") {
  memory_file_system fs;
  snapshot_dir old{fs, "/old", {0xdd}};
  snapshot_dir fresh{fs, "/fresh", cluster};
  const services_state state{{"map", some_bytes(block + 5, 1)}, {"queue", ""}};
  const auto backup =
      std::filesystem::path{"/old"} / snapshot_format::file_name(write_snapshot(old, make_point(31, 4), state));
  const raft::snapshot_point first{{1, 1}, 1, {{{{9}, "nine:9"}}, {}, {}}};
  const auto id = copy_snapshot(fs, backup, fresh, first);
  raft::snapshot_point found;
  REQUIRE(load_snapshot(fresh, id, &found) == state);
  REQUIRE(found == first);
  fs.flip_byte(backup, 2000);
  REQUIRE_THROWS_WITH(copy_snapshot(fs, backup, fresh, make_point(2, 2)), Catch::Contains(backup.string()));
  REQUIRE(fresh.list() == std::vector{id});
  REQUIRE(fs.list("/fresh").size() == 1);
}

TEST_CASE("a large snapshot is synced while it is written, so that the last sync is short") {
  memory_file_system fs;
  snapshot_dir files{fs, "/snapshots", cluster};
  std::uint64_t unsynced = 0;
  std::uint64_t most = 0;
  fs.before_each([&](const disk_operation& operation) {
    if (operation.kind == disk_operation::kind_t::write) most = std::max(most, unsynced += operation.size);
    if (operation.kind == disk_operation::kind_t::sync) unsynced = 0;
  });
  write_snapshot(files, make_point(5, 1), {{"map", std::string(50 * block, 'x')}});
  REQUIRE(unsynced == 0);
  REQUIRE(most <= 18 * block);
}

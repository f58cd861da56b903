// Logs that begin in the middle: after compaction, and after a reset.
#include "raft/base/codec.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// A log of small segments, and its model, which is never compacted.
struct log_in_memory {
  memory_file_system fs;
  log_model model;
  raft::recovered found;
  std::unique_ptr<wal> log;

  log_in_memory() { open(); }
  void open() {
    log.reset();
    log = wal::open(fs, "/log", small_options(), found);
  }
  void write(const raft::write& change) {
    log->apply(change);
    log->sync();
    model.apply(change);
  }
  /// Appends entries of 500 bytes one by one; a segment takes six.
  void append(raft::index_t count, raft::term_t term) {
    for (; count > 0; --count) write(make_append(model.last_index() + 1, model.last_index() + 1, term, 500));
  }
  std::size_t segments() {
    std::size_t count = 0;
    for (const auto& name : fs.list("/log"))
      if (wal_format::parse_segment_name(name)) ++count;
    return count;
  }
  /// Reopens the log. It must then begin after `start` and equal the model from there on.
  void require_start(raft::log_position start) {
    open();
    REQUIRE(found.start == start);
    REQUIRE(found.notes.empty());
    REQUIRE(contents(*log, found) == model.behind(start.index));
  }
};

/// Gives the segment a header of another format version, with a matching checksum.
void set_version(memory_file_system& fs, const std::filesystem::path& segment, std::uint32_t version) {
  wal_format::segment_header header;
  REQUIRE(wal_format::decode(fs.content(segment), header) == wal_format::header_state::valid);
  header.format = version;
  const auto out = fs.open(segment);
  out->write(0, wal_format::encode(header));
  out->sync();
}

const std::filesystem::path first_segment = "/log/0000000000000001.wal";

} // namespace

TEST_CASE("compaction drops whole segments whose entries are all covered, and never the current one") {
  log_in_memory disk;
  disk.append(10, 1);
  disk.append(10, 2);
  REQUIRE(disk.segments() == 4);
  disk.log->compact(5); // the first segment ends with entry 6
  REQUIRE(disk.segments() == 4);
  disk.log->compact(6);
  REQUIRE(disk.segments() == 3);
  REQUIRE(disk.log->read(1, 7, SIZE_MAX).front().index == 7);
  REQUIRE(disk.log->read(1, 6, SIZE_MAX).empty());
  REQUIRE_THROWS_WITH(disk.log->apply(make_truncation(6)), Catch::Contains("begins after 6"));
  disk.require_start({6, 1});
  disk.log->compact(17);
  disk.require_start({12, 2});
  disk.append(1, 2);
  disk.log->compact(1000);
  REQUIRE(disk.segments() == 1);
  disk.require_start({18, 2});
  REQUIRE(disk.found.terms == std::vector<raft::term_run>{{19, 2}});
  disk.append(20, 3);
  disk.require_start({18, 2});
}

TEST_CASE("a long log is compacted a few segments at a time") {
  log_in_memory disk;
  disk.append(6 * 10, 1);
  REQUIRE(disk.segments() == 10);
  disk.log->compact(59);
  REQUIRE(disk.segments() == 8);
  REQUIRE(disk.log->read(1, 60, SIZE_MAX).front().index == 13);
  for (const std::size_t left : {6UL, 4UL, 2UL}) {
    REQUIRE(disk.log->has_room());
    REQUIRE(disk.segments() == left);
  }
  disk.append(6, 1);
  REQUIRE(disk.log->has_room());
  REQUIRE(disk.segments() == 2); // entry 60 is not covered
  disk.require_start({54, 1});
}

TEST_CASE("a crash between removals leaves no gap in the log, even without ordered name changes") {
  log_in_memory disk;
  disk.append(6 * 8, 1);
  std::size_t points = 0;
  disk.fs.before_each([&](const disk_operation&) {
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
      ++points;
      random_source random{seed};
      const auto after = disk.fs.crashed([&] { return pick(random, 0, 1) == 0; }, memory_file_system::name_order::any);
      const auto found = open_and_read(*after, small_options());
      REQUIRE(found == disk.model.behind(found.start.index));
    }
  });
  disk.log->compact(47);
  while (disk.segments() > 2) REQUIRE(disk.log->has_room());
  disk.fs.before_each({});
  CHECK(points > 100);
}

TEST_CASE("compaction also drops the terms and configurations of the removed entries") {
  log_in_memory disk;
  raft::write members = make_append(1, 1, 1, 500);
  members.append[0].kind = raft::entry_kind::configuration;
  disk.write(members);
  disk.append(6, 1);
  members = make_append(8, 8, 2, 500);
  members.append[0].kind = raft::entry_kind::configuration;
  disk.write(members);
  disk.append(12, 3);
  REQUIRE(disk.found.configurations.empty());
  disk.open();
  REQUIRE(disk.found.configurations.size() == 2);
  disk.log->compact(6);
  disk.open();
  REQUIRE(disk.found.configurations.size() == 1);
  REQUIRE(disk.found.terms.front() == raft::term_run{7, 1});
}

TEST_CASE("term and vote survive the removal of their segments") {
  log_in_memory disk;
  raft::write vote;
  vote.hard = raft::hard_state{7, {3}};
  disk.write(vote);
  disk.append(8, 7);
  disk.log->compact(8);
  REQUIRE(disk.segments() == 1);
  disk.open();
  REQUIRE(disk.found.hard == *vote.hard);
}

TEST_CASE("a truncation may reach below the first remaining segment") {
  log_in_memory disk;
  SECTION("then the log begins at the first entry that replaces one of a dropped segment") {
    disk.append(8, 1);
    disk.write(make_truncation(4));
    disk.append(4, 2);
    disk.log->compact(7);
    REQUIRE(disk.segments() == 1);
    REQUIRE(disk.log->read(1, 9, SIZE_MAX).front().index == 5);
    disk.require_start({4, 2});
  }
  SECTION("all of it, so that no entry of the first segment is left") {
    disk.append(8, 1);
    disk.write(make_truncation(1));
    disk.write(make_append(1, 4, 2, 10));
    disk.log->compact(4); // the first segment once held entry 6, which must not count as covered
    REQUIRE(disk.segments() == 2);
    disk.write(make_append(5, 8, 2, 10));
    disk.log->compact(6);
    REQUIRE(disk.segments() == 1);
    REQUIRE(disk.log->read(1, 9, SIZE_MAX).front().index == 2);
    disk.require_start({1, 2});
  }
  SECTION("twice, the second time further down") {
    disk.append(8, 1);
    auto change = make_append(4, 4, 2, 10);
    change.truncate_from = 4;
    disk.write(change);
    change = make_append(2, 8, 3, 10);
    change.truncate_from = 2;
    disk.write(change);
    disk.log->compact(6);
    REQUIRE(disk.log->read(1, 9, SIZE_MAX).front().index == 3);
    disk.require_start({2, 3});
  }
  SECTION("and the next segment's header has the term, if a crash came after the first removal") {
    disk.append(12, 1); // two segments
    disk.write(make_truncation(4));
    disk.append(8, 2);
    REQUIRE(disk.segments() == 4); // the third one begins with entry 4
    disk.fs.remove(first_segment);
    disk.require_start({3, 1});
  }
}

TEST_CASE("a log whose end no longer reaches its start is damaged") {
  log_in_memory disk;
  disk.append(8, 1);
  disk.write(make_truncation(4));
  disk.append(4, 2);
  disk.log->compact(7);
  // The batches after the truncation are damaged; the second segment began with two entries of 544 bytes.
  const std::filesystem::path second = "/log/0000000000000002.wal";
  const auto out = disk.fs.open(second);
  const auto behind = wal_format::first_record + 2 * wal_format::entry_size(500) + 32;
  out->write(behind, std::string(4 * wal_format::entry_size(500), '\0'));
  REQUIRE_THROWS_WITH(disk.open(), Catch::Contains(second.string()) && Catch::Contains("ends before the index"));
}

TEST_CASE("a reset drops the log, and the log continues elsewhere") {
  log_in_memory disk;
  disk.append(14, 1);
  for (const auto place : {raft::log_position{100, 4}, raft::log_position{50, 5}, raft::log_position{0, 0}}) {
    CAPTURE(place.index);
    disk.write(make_reset(place.index, place.term));
    REQUIRE(disk.log->read(0, 1000, SIZE_MAX).empty());
    disk.require_start(place);
    disk.append(3, 6);
    disk.require_start(place);
    const auto before = disk.segments();
    disk.log->compact(0); // nothing is covered, but no segment before the reset is needed
    REQUIRE(disk.segments() == 1);
    REQUIRE(before > 1);
    disk.require_start(place);
    disk.append(8, 6);
    disk.require_start(place);
  }
}

TEST_CASE("a compaction before a reset does not affect the entries after it") {
  log_in_memory disk;
  disk.append(20, 1);
  disk.log->compact(15);
  disk.write(make_reset(5, 2));
  disk.append(20, 2);
  REQUIRE(disk.log->has_room());
  REQUIRE(disk.log->read(1, 25, SIZE_MAX).front().index == 6);
  disk.require_start({5, 2});
}

TEST_CASE("a reset, entries and a vote of one write reach the disk together") {
  log_in_memory disk;
  disk.append(2, 1);
  auto change = make_append(31, 33, 5, 20);
  change.reset_to = raft::log_position{30, 4};
  change.hard = raft::hard_state{5, {2}};
  disk.log->apply(change);
  REQUIRE(disk.log->read(1, 33, SIZE_MAX).size() == 3);
  disk.log->compact(1); // not synced: nothing may be removed
  disk.open();
  REQUIRE(contents(*disk.log, disk.found) == disk.model);
  disk.write(change);
  disk.require_start({30, 4});
  REQUIRE(disk.found.hard == *change.hard);
}

TEST_CASE("a reset is not written into a segment of version 1") {
  log_in_memory disk;
  disk.append(3, 1);
  set_version(disk.fs, first_segment, 1);
  disk.require_start({0, 0});
  disk.append(1, 1);
  REQUIRE(disk.segments() == 1);
  disk.write(make_reset(9, 2));
  REQUIRE(disk.segments() == 2);
  disk.append(1, 2);
  disk.require_start({9, 2});
  REQUIRE(raft::reader{disk.fs.content(first_segment).substr(8, 4)}.get<std::uint32_t>() == 1);
}

TEST_CASE("rejects a segment of a later version") {
  for (const std::uint32_t version : {0U, wal_format::version + 1}) {
    log_in_memory disk;
    disk.append(3, 1);
    set_version(disk.fs, first_segment, version);
    REQUIRE_THROWS_WITH(disk.open(), Catch::Contains(first_segment.string()) &&
                                         Catch::Contains("format version " + std::to_string(version)) &&
                                         Catch::Contains("up to 2"));
  }
}

TEST_CASE("the only segment of a compacted log never counts as unfinished") {
  log_in_memory disk;
  disk.append(6, 1);
  disk.append(1, 1);
  disk.log->compact(6);
  REQUIRE(disk.segments() == 1);
  const std::filesystem::path second = "/log/0000000000000002.wal";
  const auto out = disk.fs.open(second);
  out->write(0, std::string(8192, '\0'));
  REQUIRE_THROWS_WITH(disk.open(), Catch::Contains(second.string()) && Catch::Contains("bad header"));
}

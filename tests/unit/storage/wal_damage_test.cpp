#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/unit/storage/storage_model.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

const std::filesystem::path first_segment = "/log/0000000000000001.wal";
const std::filesystem::path second_segment = "/log/0000000000000002.wal";

/// Writes three batches to one segment; returns the end offset of each.
std::vector<std::uint64_t> write_three(memory_file_system& fs, log_model& before_last) {
  std::vector<std::uint64_t> ends;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  auto end = wal_format::first_record;
  for (const auto& change : {make_append(1, 2, 1, 60), make_append(3, 5, 1, 60), make_append(6, 8, 2, 60)}) {
    log->apply(change);
    log->sync();
    if (ends.size() < 2) before_last.apply(change);
    end += wal_format::encoded_size(change);
    ends.push_back(end);
  }
  return ends;
}

std::string failure_of_opening(file_system& fs) {
  try {
    open_and_read(fs, small_options());
  } catch (const raft::storage_error& error) {
    return error.what();
  }
  return "none";
}

} // namespace

TEST_CASE("any flipped byte before the last batch is damage; the error has file, offset and repair command") {
  memory_file_system origin;
  log_model before_last;
  const auto ends = write_three(origin, before_last);
  for (auto offset = wal_format::first_record; offset < ends[1]; ++offset) {
    CAPTURE(offset);
    const auto fs = origin.crashed([] { return false; });
    fs->flip_byte(first_segment, offset);
    const auto text = failure_of_opening(*fs);
    REQUIRE_THAT(text, Catch::Contains(first_segment.string()) && Catch::Contains("must not run with it"));
    // The reported offset is that of the record: it is less than one record size before the flipped byte.
    const auto named = std::stoull(text.substr(text.find("offset ") + 7));
    REQUIRE(named <= offset);
    REQUIRE(offset < named + wal_format::entry_size(60));
  }
}

TEST_CASE("any flipped byte of the last batch cuts that batch, once") {
  memory_file_system origin;
  log_model before_last;
  const auto ends = write_three(origin, before_last);
  for (auto offset = ends[1]; offset < ends[2]; ++offset) {
    CAPTURE(offset);
    const auto fs = origin.crashed([] { return false; });
    fs->flip_byte(first_segment, offset);
    std::vector<std::string> notes;
    REQUIRE(open_and_read(*fs, small_options(), &notes) == before_last);
    REQUIRE(notes.size() == 1);
    REQUIRE_THAT(notes[0], Catch::Contains(first_segment.string()) && Catch::Contains(std::to_string(ends[1])));
    REQUIRE(open_and_read(*fs, small_options(), &notes) == before_last);
    REQUIRE(notes.empty());
    REQUIRE(fs->content(first_segment).find_first_not_of('\0', ends[1]) == std::string::npos);
  }
}

TEST_CASE("any flipped byte in a segment that is not the last is damage") {
  memory_file_system origin;
  std::uint64_t end = wal_format::first_record;
  {
    raft::recovered found;
    const auto log = wal::open(origin, "/log", small_options(), found);
    for (raft::index_t index = 1; !origin.exists(second_segment); ++index) {
      const auto change = make_append(index, index, 1, 1000);
      log->apply(change);
      log->sync();
      if (!origin.exists(second_segment)) end += wal_format::encoded_size(change);
    }
  }
  for (auto offset = std::uint64_t{0}; offset < end; offset += offset < 4000 ? 1 : 7) {
    if (offset == wal_format::header_size) offset = wal_format::first_record;
    CAPTURE(offset);
    const auto fs = origin.crashed([] { return false; });
    fs->flip_byte(first_segment, offset);
    REQUIRE_THAT(failure_of_opening(*fs), Catch::Contains(first_segment.string()));
  }
  for (std::uint64_t offset = 0; offset < wal_format::header_size; ++offset) {
    CAPTURE(offset);
    const auto fs = origin.crashed([] { return false; });
    fs->flip_byte(second_segment, offset);
    REQUIRE_THAT(failure_of_opening(*fs), Catch::Contains(second_segment.string()));
  }
}

TEST_CASE("detects a missing segment") {
  memory_file_system fs;
  {
    raft::recovered found;
    const auto log = wal::open(fs, "/log", small_options(), found);
    for (raft::index_t index = 1; index <= 12; ++index) {
      log->apply(make_append(index, index, 1, 1000));
      log->sync();
    }
  }
  SECTION("the first one looks compacted: only the missing snapshot shows the loss") {
    fs.remove(first_segment);
    raft::recovered found;
    wal::open(fs, "/log", small_options(), found);
    REQUIRE(found.start == raft::log_position{3, 1});
  }
  SECTION("one in the middle") {
    fs.remove(second_segment);
    REQUIRE_THAT(failure_of_opening(fs), Catch::Contains("missing"));
  }
}

TEST_CASE("detects an entry that was damaged after the start when it is read") {
  memory_file_system fs;
  raft::recovered found;
  const auto log = wal::open(fs, "/log", small_options(), found);
  log->apply(make_append(1, 3, 1, 60));
  log->sync();
  const auto second = wal_format::first_record + wal_format::entry_size(60);
  fs.flip_byte(first_segment, second + 50);
  REQUIRE(log->read(1, 1, SIZE_MAX).size() == 1);
  REQUIRE_THROWS_WITH(log->read(1, 3, SIZE_MAX), Catch::Contains("entry 2") && Catch::Contains(std::to_string(second)));
}

TEST_CASE("a record of another offset or another segment is never valid") {
  // A client stores the bytes of a record of a later batch, and the batch that holds them is torn.
  const auto first = make_append(1, 1, 1, 60);
  const auto torn = wal_format::first_record + wal_format::entry_size(60);
  const auto inside = torn + wal_format::entry_size(0); // offset of the second entry's data
  const auto opening_with = [&](std::uint64_t other_segment, std::uint64_t other_place) {
    memory_file_system fs;
    raft::recovered found;
    const auto log = wal::open(fs, "/log", small_options(), found);
    wal_format::segment_header header;
    REQUIRE(wal_format::decode(fs.content(first_segment), header) == wal_format::header_state::valid);
    std::string record;
    wal_format::put(record, 9, make_entry(5, 1, "never written"));
    wal_format::seal(record, header.unique + other_segment, inside + other_place);
    log->apply(first);
    log->sync();
    raft::write second;
    second.append.push_back(make_entry(2, 1, record));
    log->apply(second);
    log->sync();
    fs.flip_byte(first_segment, torn + 16);
    return failure_of_opening(fs);
  };
  REQUIRE(opening_with(1, 0) == "none");
  REQUIRE(opening_with(0, 8) == "none");
  // A record made for this offset counts as a later batch: this shows that the test can fail.
  REQUIRE_THAT(opening_with(0, 0), Catch::Contains("damaged log"));
}

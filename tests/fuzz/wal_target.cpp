// Fuzzes the segments of a log. Their checksums are valid (any_checksum.cpp).
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/wal.hpp"
#include "tests/fuzz/target.hpp"

#include <limits>

using namespace troupe;

namespace {

const std::filesystem::path log_directory = "/disk/log";
constexpr std::uint64_t records_size = 8192;
constexpr std::uint64_t segment_size = wal_format::first_record + records_size;

wal_options small_segments() {
  wal_options options;
  options.segment_size = segment_size;
  options.reserve = 1024;
  options.zero_ahead = 512;
  return options;
}

/// An input is the number of segments, and an equal part for each: its header, directly followed by its records.
void write_segments(file_system& fs, std::string_view bytes) {
  const auto count = 1 + static_cast<unsigned char>(bytes.front()) % 3U;
  bytes.remove_prefix(1);
  const auto part = bytes.size() / count;
  for (std::uint64_t sequence = 1; sequence <= count; ++sequence, bytes.remove_prefix(part)) {
    const auto own = bytes.substr(0, part);
    const auto file = fs.create(log_directory / wal_format::segment_name(sequence));
    file->preallocate(segment_size);
    file->write(0, own.substr(0, wal_format::header_size));
    if (own.size() > wal_format::header_size)
      file->write(wal_format::first_record, own.substr(wal_format::header_size, records_size));
    file->sync();
  }
}

/// The reverse, for segments that a log has written.
std::string squeezed(const memory_file_system& fs) {
  std::vector<std::string> parts;
  std::size_t longest = 0;
  for (std::uint64_t sequence = 1; parts.size() < 3; ++sequence) {
    std::string whole;
    try {
      whole = fs.content(log_directory / wal_format::segment_name(sequence));
    } catch (const raft::storage_error&) {
      break;
    }
    auto part = whole.substr(0, wal_format::header_size) + whole.substr(wal_format::first_record);
    part.resize(std::max(part.find_last_not_of('\0') + 1, wal_format::header_size));
    longest = std::max(longest, part.size());
    parts.push_back(std::move(part));
  }
  std::string all(1, static_cast<char>(parts.size() - 1));
  for (auto& part : parts) {
    part.resize(longest);
    all += part;
  }
  return all;
}

raft::log_position last_of(const raft::recovered& found) {
  return {found.last_index, found.terms.empty() ? found.start.term : found.terms.back().term};
}

void check_entries(wal& log, const raft::recovered& found) {
  const auto count = found.last_index - found.start.index;
  fuzz::check(count <= 3 * records_size / wal_format::record_header_size,
              "more entries than the segments have room for");
  const auto entries = log.read(found.start.index + 1, found.last_index, std::numeric_limits<std::size_t>::max());
  fuzz::check(entries.size() == count, "a recovered entry cannot be read");
  auto before = found.start;
  for (const auto& one : entries) {
    fuzz::check(one.index == before.index + 1, "an entry at another index");
    fuzz::check(one.term >= before.term, "terms that go backwards");
    before = {one.index, one.term};
  }
}

/// A log that can be opened must accept further entries, and must have them when it is opened again.
void append(memory_file_system& fs, std::unique_ptr<wal> log, const raft::recovered& found) {
  const auto last = last_of(found);
  if (last.index > std::numeric_limits<raft::index_t>::max() - 2 ||
      last.term > std::numeric_limits<raft::term_t>::max() - 2)
    return;
  raft::write more;
  more.append.push_back({last.index + 1, last.term + 1, raft::entry_kind::command, raft::bytes{std::string{"more"}}});
  log->apply(more);
  log->sync();
  log->compact(last.index);
  log->has_room();
  log.reset();
  raft::recovered again;
  log = wal::open(fs, log_directory, small_segments(), again);
  fuzz::check(again.last_index == last.index + 1, "a synced entry is gone after the next opening");
}

} // namespace

void troupe::fuzz::try_input(std::string_view bytes) {
  if (bytes.empty()) return;
  memory_file_system fs;
  fs.make_directory(log_directory);
  write_segments(fs, bytes);
  raft::recovered found;
  std::unique_ptr<wal> log;
  try {
    log = wal::open(fs, log_directory, small_segments(), found);
  } catch (const raft::storage_error&) {
    return;
  }
  check(found.last_index >= found.start.index, "a log that ends before it begins");
  check_entries(*log, found);
  append(fs, std::move(log), found);
}

std::vector<std::string> troupe::fuzz::seeds() {
  std::vector<std::string> all;
  for (const int writes : {0, 5, 40, 90}) {
    memory_file_system fs;
    raft::recovered found;
    const auto log = wal::open(fs, log_directory, small_segments(), found);
    raft::index_t next = 1;
    for (int i = 1; i <= writes; ++i) {
      const auto term = static_cast<raft::term_t>(1 + i / 10);
      raft::write change;
      if (i % 10 == 0) change.hard = raft::hard_state{term, {3}};
      if (i == 4) change.truncate_from = --next;
      if (i == 30) {
        change.reset_to = raft::log_position{100, term};
        next = 101;
      }
      change.append.push_back(
          {next++, term, raft::entry_kind::command, raft::bytes{std::string(static_cast<unsigned>(i % 60 + 60), 'x')}});
      log->apply(change);
      log->sync();
      log->has_room();
    }
    all.push_back(squeezed(fs));
  }
  return all;
}

std::vector<std::string> troupe::fuzz::words() {
  return {"!muskehc",
          std::string("\1\0\0\0", 4),
          std::string("\2\0\0\0", 4),
          std::string("\3\0\0\0\0\0\0\0", 8),
          std::string("\4\0\0\0\0\0\0\0", 8),
          "\xff\xff\xff\xff",
          "\xff\xff\xff\xff\xff\xff\xff\xff",
          std::string("\0\x10\0\0\0\0\0\0", 8),
          std::string("\0\x30\0\0\0\0\0\0", 8)};
}

#include "runtime/storage/wal_recovery.hpp"

#include "runtime/storage/reading_stopped.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

using wal_format::record;
using wal_format::record_type;

/// A change that waits for the end of its batch: a batch is applied as a whole or not at all.
struct pending_change {
  record_type type = record_type::entry;
  raft::entry entry; // data only for configurations
  raft::index_t truncate_from = 0;
  raft::log_position reset_to;
  raft::hard_state hard;
  std::uint64_t offset = 0;
  std::uint32_t data_size = 0;
};

pending_change decode_change(const record& from, std::uint64_t offset) {
  pending_change change;
  change.type = from.type;
  change.offset = offset;
  switch (from.type) {
  case record_type::entry: {
    const auto body = wal_format::decode_entry(from);
    change.entry = {body.index, body.term, static_cast<raft::entry_kind>(from.kind), {}};
    change.data_size = static_cast<std::uint32_t>(body.data.size());
    if (change.entry.kind == raft::entry_kind::configuration) change.entry.data = raft::bytes{std::string{body.data}};
    break;
  }
  case record_type::truncate:
    change.truncate_from = wal_format::decode_truncate(from);
    break;
  case record_type::hard_state:
    change.hard = wal_format::decode_hard_state(from);
    break;
  case record_type::reset:
    change.reset_to = wal_format::decode_reset(from);
    break;
  }
  return change;
}

class recovery {
 public:
  recovery(file_system& fs, const std::filesystem::path& directory, const wal_options& options, wal_spare& spare,
           std::vector<std::string>& notes, const std::stop_token& stop)
      : fs_(fs), directory_(directory), options_(options), spare_(spare), notes_(notes), stop_(stop) {}

  wal_state run() {
    find_segments();
    load_headers();
    if (state_.segments.empty()) {
      begin_log();
      return std::move(state_);
    }
    begin_at_first_header();
    for (std::size_t i = 0; i < state_.segments.size(); ++i) {
      check_header(i);
      const auto source = fs_.open(state_.segments[i].path);
      replay(i, *source);
    }
    if (start_term_unknown_)
      throw damage(state_.segments.back(), state_.segments.back().end,
                   "the log ends before the index that it was compacted to");
    make_durable();
    return std::move(state_);
  }

 private:
  bool is_last(std::size_t i) const { return i + 1 == state_.segments.size(); }

  void find_segments() {
    for (const auto& name : fs_.list(directory_)) {
      const auto sequence = wal_format::parse_segment_name(name);
      if (!sequence) continue;
      wal_segment segment;
      segment.path = directory_ / name;
      segment.header.sequence = *sequence;
      if (!state_.segments.empty() && state_.segments.back().header.sequence + 1 != *sequence)
        throw damage(segment, 0, "the previous segment is missing");
      state_.segments.push_back(std::move(segment));
    }
  }

  void load_headers() {
    for (std::size_t i = 0; i < state_.segments.size(); ++i) {
      auto& segment = state_.segments[i];
      const auto sequence = segment.header.sequence;
      const auto source = fs_.open(segment.path);
      const auto size = source->size();
      std::string bytes(wal_format::header_size, '\0');
      bytes.resize(source->read(0, bytes));
      const auto state = wal_format::decode(bytes, segment.header);
      if (state == wal_format::header_state::other_version)
        throw raft::storage_error("log segment " + segment.path.string() + " has format version " +
                                  std::to_string(segment.header.format) + "; this program supports versions up to " +
                                  std::to_string(wal_format::version));
      if (state == wal_format::header_state::bad || size < segment.header.capacity) {
        segment.header.capacity = size;
        // If the only segment replaces compacted ones, it is not an unfinished new segment.
        const bool needed = i == 0 && sequence != 1;
        if (needed || !is_last(i) || record_reader{*source, segment}.next_nonzero(wal_format::first_record) < size)
          throw damage(segment, 0, "bad header or size of the segment");
        drop_unfinished();
        return;
      }
      if (segment.header.sequence != sequence) throw damage(segment, 0, "the header belongs to another segment");
    }
  }

  /// The node stopped while it created the last segment. The segment has no records, because its header is written
  /// first.
  void drop_unfinished() {
    notes_.push_back("removed an unfinished log segment: " + state_.segments.back().path.string());
    fs_.remove(state_.segments.back().path);
    state_.segments.pop_back();
    fs_.sync_directory(directory_);
  }

  void begin_log() {
    wal_segment first;
    first.header = next_header(state_.point(), nullptr, fs_.draw_random(), options_.segment_size);
    first.path = directory_ / wal_format::segment_name(first.header.sequence);
    state_.current = spare_.become(first);
    state_.segments.push_back(std::move(first));
  }

  /// If older segments were dropped, the first header replaces all of them.
  void begin_at_first_header() {
    const auto& first = state_.segments.front().header;
    if (first.sequence == 1) return;
    state_.hard = first.hard;
    state_.next_batch = first.first_batch;
    state_.shape.reset({first.first_index - 1, first.previous_term});
  }

  /// A header repeats the state to which the previous segments must lead, so a missing end of a segment is detected.
  void check_header(std::size_t i) {
    const auto& header = state_.segments[i].header;
    const auto& segment = state_.segments[i];
    if (start_term_unknown_ && header.first_index == state_.shape.last_index() + 1) {
      state_.shape.reset({header.first_index - 1, header.previous_term});
      start_term_unknown_ = false;
    }
    auto expected =
        next_header(state_.point(), i == 0 ? nullptr : &state_.segments[i - 1], header.unique, header.capacity);
    expected.format = header.format;
    if (i == 0) { // nothing to compare with, unless it is the very first segment of the log
      expected.sequence = header.sequence;
      if (header.sequence != 1) expected.previous_end = header.previous_end;
    }
    if (header != expected) throw damage(segment, 0, "the segment does not continue the previous one");
  }

  /// Applies the batches of a segment up to its end, or up to a torn tail in the last segment.
  void replay(std::size_t i, file& source) {
    auto& segment = state_.segments[i];
    record_reader reader{source, segment};
    const auto limit = is_last(i) ? segment.header.capacity : state_.segments[i + 1].header.previous_end;
    std::vector<pending_change> batch;
    auto offset = wal_format::first_record;
    while (offset < limit) {
      check(stop_);
      const auto found = reader.at(offset);
      if (!found || found->batch != state_.next_batch || offset + found->stored_size > limit) break;
      batch.push_back(decode_change(*found, offset));
      offset += found->stored_size;
      if (!found->ends_batch) continue;
      for (const auto& change : batch) apply(i, change);
      batch.clear();
      last_batch_ = segment.end;
      segment.end = offset;
      ++state_.next_batch;
    }
    if (!is_last(i)) {
      if (segment.end != limit) throw damage(segment, offset, "bad record");
      last_batch_ = wal_format::first_record;
      return;
    }
    examine_tail(reader, segment, offset);
  }

  void apply(std::size_t i, const pending_change& change) {
    switch (change.type) {
    case record_type::hard_state:
      state_.hard = change.hard;
      break;
    case record_type::truncate:
      if (change.truncate_from == 0) throw damage(state_.segments[i], change.offset, "truncation from index 0");
      apply_truncation(change.truncate_from);
      break;
    case record_type::reset:
      state_.shape.reset(change.reset_to);
      state_.locations.clear();
      state_.reset_in = state_.segments[i].header.sequence;
      start_term_unknown_ = false;
      break;
    case record_type::entry:
      if (change.entry.index != state_.shape.last_index() + 1 || change.entry.term < state_.shape.last_term())
        throw damage(state_.segments[i], change.offset, "entry out of order");
      apply_entry(i, change);
      break;
    }
  }

  /// A truncation may reach below the first remaining segment: the dropped segments held entries that were replaced
  /// later. The term before the replacement is then unknown until the next entry or header supplies it.
  void apply_truncation(raft::index_t from) {
    if (from <= state_.shape.start().index) {
      state_.shape.reset({from - 1, 0});
      state_.locations.clear();
      start_term_unknown_ = true;
      return;
    }
    state_.shape.truncate(from);
    state_.locations.resize(
        std::min<std::size_t>(state_.locations.size(), state_.shape.last_index() - state_.shape.start().index));
  }

  void apply_entry(std::size_t i, const pending_change& change) {
    if (std::exchange(start_term_unknown_, false)) {
      state_.shape.reset({change.entry.index, change.entry.term});
      return;
    }
    state_.shape.append(change.entry);
    state_.locations.push_back({static_cast<std::uint32_t>(state_.segments[i].header.sequence),
                                static_cast<std::uint32_t>(change.offset / wal_format::alignment), change.data_size});
  }

  /// `bad` is the first offset without a valid record of the batch `next_batch`. A later batch is written only after
  /// that one is synced, so if there is a later batch, the log is damaged at `bad`, not torn.
  void examine_tail(record_reader& reader, const wal_segment& segment, std::uint64_t bad) {
    for (auto at = reader.next_nonzero(segment.end); at < segment.header.capacity;
         at = reader.next_nonzero(at + wal_format::alignment)) {
      tail_end_ = std::min<std::uint64_t>(at + wal_format::alignment, segment.header.capacity);
      if (at < bad) continue;
      const auto found = reader.at(at);
      if (found && found->batch > state_.next_batch) throw damage(segment, bad, "bad record");
    }
  }

  /// Makes sure that everything read is on disk. Recovery read the page cache, which may contain data that the disk
  /// lacks: writes that were not synced, and writes whose sync failed, which Linux then treats as clean. Writing the
  /// last batch again (or, before the first batch, the header) makes their pages dirty again. Everything older was
  /// synced before that batch was written.
  void make_durable() {
    auto& segment = state_.segments.back();
    state_.current = fs_.open(segment.path);
    auto& out = *state_.current;
    if (tail_end_ > segment.end) {
      notes_.push_back("cut a torn tail: " + segment.path.string() + " at offset " + std::to_string(segment.end) +
                       ", " + std::to_string(tail_end_ - segment.end) + " bytes of a batch that was never synced");
      out.write(segment.end, std::string(tail_end_ - segment.end, '\0'));
    }
    if (segment.end == wal_format::first_record) {
      out.write(0, wal_format::encode(segment.header));
    } else {
      std::string batch(segment.end - last_batch_, '\0');
      if (out.read(last_batch_, batch) != batch.size()) throw damage(segment, last_batch_, "the file has shrunk");
      out.write(last_batch_, batch);
    }
    out.sync();
    fs_.sync_directory(directory_);
  }

  file_system& fs_;
  const std::filesystem::path& directory_;
  const wal_options& options_;
  wal_spare& spare_;
  std::vector<std::string>& notes_;
  const std::stop_token& stop_;
  wal_state state_;
  bool start_term_unknown_ = false;                     // the log is empty, and the term at its start is unknown
  std::uint64_t last_batch_ = wal_format::first_record; // offset of the last complete batch in the last segment
  std::uint64_t tail_end_ = 0;                          // end of the last nonzero bytes
};

} // namespace

wal_format::segment_header next_header(const log_point& start, const wal_segment* before, std::uint64_t unique,
                                       std::uint64_t capacity) {
  wal_format::segment_header header;
  header.sequence = before ? before->header.sequence + 1 : 1;
  header.unique = unique;
  header.first_index = start.last_index + 1;
  header.previous_term = start.last_term;
  header.first_batch = start.next_batch;
  header.hard = start.hard;
  header.previous_end = before ? before->end : 0;
  header.capacity = capacity;
  return header;
}

damage_error damage(const wal_segment& segment, std::uint64_t offset, const std::string& what) {
  return {"damaged log: " + what, segment.path, offset,
          "this node must not run with it " + repair_advice(segment.path.parent_path().parent_path())};
}

wal_state recover_wal(file_system& fs, const std::filesystem::path& directory, const wal_options& options,
                      wal_spare& spare, std::vector<std::string>& notes, const std::stop_token& stop) {
  make_durable_directory(fs, directory);
  return recovery{fs, directory, options, spare, notes, stop}.run();
}

} // namespace troupe

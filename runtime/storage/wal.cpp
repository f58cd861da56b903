#include "runtime/storage/wal.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace troupe {
namespace {

/// The segment number of entries whose records are still in memory.
constexpr auto unwritten = std::numeric_limits<std::uint32_t>::max();
/// A batch buffer that grew beyond this size is freed.
constexpr std::size_t kept_buffer = std::size_t{4} << 20;
/// Number of segments removed by one call. Removing a segment of 64 MiB takes some 8 ms (ext4), and the sync after it
/// as long as any other. No vote and no entry reaches the disk during that time.
constexpr std::size_t dropped_at_once = 2;
constexpr std::uint64_t max_capacity = std::uint64_t{wal_format::alignment} << 32;

std::uint32_t to_position(std::uint64_t offset) { return static_cast<std::uint32_t>(offset / wal_format::alignment); }
std::uint64_t to_offset(const wal_location& at) { return std::uint64_t{at.position} * wal_format::alignment; }

/// True when the record of `next` follows that of `at` without a gap.
bool adjacent(const wal_location& at, const wal_location& next) {
  return at.segment == next.segment && to_offset(at) + wal_format::entry_size(at.data_size) == to_offset(next);
}

} // namespace

std::string objection(const wal_options& options) {
  const auto least = wal_format::first_record + options.reserve + 1;
  if (options.segment_size >= least && options.segment_size <= max_capacity) return {};
  return "a segment must have from " + std::to_string(least) + " to " + std::to_string(max_capacity) + " bytes, not " +
         std::to_string(options.segment_size);
}

wal::wal(file_system& fs, std::filesystem::path directory, const wal_options& options, wal_spare spare, wal_state state)
    : fs_(fs), directory_(std::move(directory)), options_(options), spare_(std::move(spare)), state_(std::move(state)),
      synced_(state_.point()), zeroed_(state_.segments.back().end) {}

namespace {

std::vector<raft::byte_mark> sizes_of(const wal_state& state) {
  auto index = state.shape.start().index;
  raft::log_bytes sizes{index};
  for (const auto& at : state.locations) sizes.append(++index, raft::entry::cost_of(at.data_size));
  return sizes.marks();
}

} // namespace

std::unique_ptr<wal> wal::open(file_system& fs, std::filesystem::path directory, const wal_options& options,
                               raft::recovered& out, const std::stop_token& stop) {
  if (const auto why = objection(options); !why.empty()) throw raft::storage_error("log options: " + why);
  std::vector<std::string> notes;
  wal_spare spare{fs, directory, options.segment_size};
  auto state = recover_wal(fs, directory, options, spare, notes, stop);
  const bool room = spare.prepare();
  out = describe(state.shape, state.hard);
  out.has_room = room;
  out.notes = std::move(notes);
  out.sizes = sizes_of(state);
  return std::unique_ptr<wal>{new wal(fs, std::move(directory), options, std::move(spare), std::move(state))};
}

template <typename Change> void wal::guarded(Change&& change) {
  if (failed_) throw raft::storage_error("the log in " + directory_.string() + " has failed before; reopen it");
  failed_ = true;
  try {
    std::forward<Change>(change)();
  } catch (const raft::storage_error& error) {
    failed_ = !error.temporary();
    throw;
  }
  failed_ = false;
}

void wal::apply(const raft::write& change) {
  guarded([&] {
    check_fits(state_.shape, change);
    for (const auto& value : change.append)
      if (value.data.size() > wal_format::max_data) throw raft::storage_error("an entry is larger than 1 GiB");
    const auto number = state_.next_batch;
    if (change.hard) {
      wal_format::put(batch_, number, *change.hard);
      state_.hard = *change.hard;
    }
    if (change.reset_to) {
      wal_format::put_reset(batch_, number, *change.reset_to);
      state_.shape.reset(*change.reset_to);
      state_.locations.clear();
      compact_to_ = std::min(compact_to_, change.reset_to->index);
      batch_has_reset_ = true;
    }
    if (change.truncate_from && *change.truncate_from <= state_.shape.last_index()) {
      wal_format::put_truncate(batch_, number, *change.truncate_from);
      state_.shape.truncate(*change.truncate_from);
      state_.locations.resize(state_.shape.last_index() - state_.shape.start().index);
    }
    for (const auto& value : change.append) {
      state_.locations.push_back(
          {unwritten, to_position(batch_.size()), static_cast<std::uint32_t>(value.data.size())});
      wal_format::put(batch_, number, value);
      state_.shape.append(value);
      batch_has_entries_ = true;
      batch_has_commands_ = batch_has_commands_ || value.kind == raft::entry_kind::command;
    }
  });
}

void wal::sync() {
  guarded([&] {
    if (batch_.empty()) return;
    if (!fits_batch()) roll();
    write_batch();
  });
}

bool wal::has_room() {
  bool room = false;
  guarded([&] {
    drop_some();
    room = spare_.prepare();
  });
  return room;
}

bool wal::fits_batch() const {
  const auto& segment = state_.segments.back();
  if (batch_has_reset_ && segment.header.format < wal_format::version) return false; // version 1 has no resets
  // A new leader's first entry may use half of the reserve for votes: each such entry comes with a vote or two.
  const auto reserved = batch_has_commands_ ? options_.reserve : batch_has_entries_ ? options_.reserve / 2 : 0;
  return segment.end + batch_.size() + reserved <= segment.header.capacity;
}

void wal::roll() {
  const auto needed = wal_format::first_record + batch_.size() + options_.reserve;
  const auto capacity = std::max<std::uint64_t>(options_.segment_size, needed);
  if (capacity > max_capacity) throw raft::storage_error("a batch is larger than 32 GiB");
  wal_segment next;
  next.header = next_header(synced_, &state_.segments.back(), fs_.draw_random(), capacity);
  next.path = directory_ / wal_format::segment_name(next.header.sequence);
  state_.current = spare_.become(next);
  state_.segments.push_back(std::move(next));
  zeroed_ = wal_format::first_record;
  spare_.prepare();
}

void wal::compact(raft::index_t up_to) {
  guarded([&] {
    compact_to_ = std::max(compact_to_, up_to);
    drop_some();
  });
}

void wal::drop_some() {
  // A crash may lose unsynced records, and among them entries that replace dropped ones.
  const auto up_to = std::min({compact_to_, synced_.last_index, state_.shape.last_index()});
  for (std::size_t dropped = 0; dropped < dropped_at_once; ++dropped) {
    if (state_.segments.size() < 2 || !droppable(state_.segments[1], up_to)) return;
    try {
      if (!names_) names_ = fs_.open_directory(directory_);
      fs_.remove(state_.segments.front().path);
    } catch (const file_error& error) {
      if (error.temporary()) return;
      throw;
    }
    // Sync after each removal: without a journal a crash may undo an earlier removal but keep a later one, and a log
    // with a gap counts as damaged.
    names_->sync();
    state_.segments.pop_front();
    older_.reset();
    move_start();
  }
}

bool wal::droppable(const wal_segment& next, raft::index_t up_to) const {
  return next.header.first_index - 1 <= up_to || next.header.sequence <= state_.reset_in;
}

/// Moves the log's start to where recovery would now find it.
void wal::move_start() {
  const auto& first = state_.segments.front().header;
  auto start = state_.shape.start().index;
  std::size_t gone = 0;
  while (gone < state_.locations.size() && state_.locations[gone].segment < first.sequence) ++gone;
  // If the first remaining entry replaced one of a dropped segment, the disk does not say which term precedes it.
  const bool after_reset = batch_has_reset_ || first.sequence <= state_.reset_in;
  if (!after_reset && start + gone + 1 < first.first_index) ++gone;
  state_.shape.compact(start + gone);
  state_.locations.erase(state_.locations.begin(), state_.locations.begin() + static_cast<std::ptrdiff_t>(gone));
}

void wal::write_batch() {
  auto& segment = state_.segments.back();
  const auto size = batch_.size();
  const auto end = segment.end + size;
  wal_format::seal(batch_, segment.header.unique, segment.end);
  const auto zeroed = end > zeroed_ ? std::min(end + options_.zero_ahead, segment.header.capacity) : zeroed_;
  if (end > zeroed_) batch_.resize(zeroed - segment.end);
  try {
    state_.current->write(segment.end, batch_);
  } catch (const raft::storage_error&) {
    // After a temporary error the batch may grow before it is written again over the part that was written.
    batch_.resize(size);
    throw;
  }
  state_.current->sync();
  zeroed_ = zeroed;

  const auto number = static_cast<std::uint32_t>(segment.header.sequence);
  for (auto at = state_.locations.rbegin(); at != state_.locations.rend() && at->segment == unwritten; ++at)
    *at = {number, to_position(segment.end + to_offset(*at)), at->data_size};
  segment.end = end;
  if (batch_has_reset_) state_.reset_in = segment.header.sequence;
  ++state_.next_batch;
  synced_ = state_.point();
  batch_.clear();
  if (batch_.capacity() > kept_buffer) batch_.shrink_to_fit();
  batch_has_entries_ = false;
  batch_has_commands_ = false;
  batch_has_reset_ = false;
}

std::size_t wal::count_readable(raft::index_t first, raft::index_t last, std::size_t max_bytes) const {
  std::size_t count = 0;
  std::size_t cost = 0;
  for (auto index = first; index <= last; ++index, ++count) {
    raft::entry bare;
    cost += bare.cost() + state_.location(index).data_size;
    if (cost > max_bytes && count > 0) break;
  }
  return count;
}

std::vector<raft::entry> wal::read(raft::index_t first, raft::index_t last, std::size_t max_bytes) {
  std::vector<raft::entry> found;
  first = std::max(first, state_.shape.start().index + 1);
  last = std::min(last, state_.shape.last_index());
  auto left = count_readable(first, last, max_bytes);
  found.reserve(left);
  while (left > 0) {
    std::size_t run = 1;
    while (run < left && adjacent(state_.location(first + run - 1), state_.location(first + run))) ++run;
    read_run(first, run, found);
    first += run;
    left -= run;
  }
  return found;
}

std::string wal::read_block(const wal_location& from, std::size_t size) {
  if (from.segment == unwritten) return batch_.substr(to_offset(from), size);
  std::string block(size, '\0');
  const bool newest = from.segment == static_cast<std::uint32_t>(state_.segments.back().header.sequence);
  if (!newest && (!older_ || older_segment_ != from.segment)) {
    older_ = fs_.open(state_.segment_of(from).path);
    older_segment_ = from.segment;
  }
  auto& source = newest ? *state_.current : *older_;
  block.resize(source.read(to_offset(from), block));
  return block;
}

void wal::read_run(raft::index_t first, std::size_t count, std::vector<raft::entry>& into) {
  const auto& begin = state_.location(first);
  const auto& back = state_.location(first + count - 1);
  const auto size = to_offset(back) + wal_format::entry_size(back.data_size) - to_offset(begin);
  const auto block = std::make_shared<const std::string>(read_block(begin, size));
  for (auto index = first; index < first + count; ++index) {
    const auto offset = to_offset(state_.location(index));
    auto bytes = std::string_view{*block};
    bytes.remove_prefix(std::min<std::size_t>(offset - to_offset(begin), bytes.size()));
    // Records that are still in memory have no checksums yet.
    const auto found = begin.segment == unwritten
                           ? wal_format::parse_unsealed(bytes)
                           : wal_format::parse(bytes, state_.segment_of(begin).header.unique, offset);
    const auto body = found ? wal_format::decode_entry(*found) : wal_format::entry_body{};
    if (!found || found->type != wal_format::record_type::entry || body.index != index)
      throw damage(state_.segment_of(begin), offset, "bad record of entry " + std::to_string(index));
    into.push_back({body.index, body.term, static_cast<raft::entry_kind>(found->kind), raft::bytes{block, body.data}});
  }
}

} // namespace troupe

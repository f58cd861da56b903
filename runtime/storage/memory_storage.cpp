#include "runtime/storage/memory_storage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

std::vector<raft::entry> memory_storage::cut(raft::index_t kept) {
  const auto from = entries_.begin() + static_cast<std::ptrdiff_t>(kept - shape_.start().index);
  std::vector<raft::entry> dropped(std::make_move_iterator(from), std::make_move_iterator(entries_.end()));
  entries_.erase(from, entries_.end());
  shape_.truncate(kept + 1);
  return dropped;
}

void memory_storage::apply(const raft::write& change) {
  if (failed_) throw raft::storage_error("the simulated disk has failed");
  check_fits(shape_, change);
  undo back{hard_, {}, shape_.last_index(), {}};
  if (change.hard) hard_ = *change.hard;
  if (change.reset_to) {
    back.start = shape_.start();
    back.kept = back.start->index;
    back.dropped = cut(back.kept);
    shape_.reset(*change.reset_to);
    compact_to_ = std::min(compact_to_, change.reset_to->index);
  } else if (change.truncate_from && *change.truncate_from <= shape_.last_index()) {
    back.kept = *change.truncate_from - 1;
    back.dropped = cut(back.kept);
  }
  for (const auto& value : change.append) {
    entries_.push_back(value);
    shape_.append(value);
  }
  unsynced_.push_back(std::move(back));
}

void memory_storage::sync() {
  if (failed_) throw raft::storage_error("the simulated disk has failed");
  unsynced_.clear();
  drop_compacted();
}

std::vector<raft::entry> memory_storage::read(raft::index_t first, raft::index_t last, std::size_t max_bytes) {
  std::vector<raft::entry> found;
  std::size_t cost = 0;
  const auto start = shape_.start().index;
  for (auto index = std::max(first, start + 1); index <= std::min(last, shape_.last_index()); ++index) {
    const auto& value = entries_[index - start - 1];
    cost += value.cost();
    if (cost > max_bytes && !found.empty()) break;
    found.push_back(value);
  }
  return found;
}

void memory_storage::compact(raft::index_t up_to) {
  compact_to_ = std::max(compact_to_, up_to);
  if (unsynced_.empty()) drop_compacted();
}

void memory_storage::drop_compacted() {
  const auto up_to = std::min(std::exchange(compact_to_, 0), shape_.last_index());
  const auto start = shape_.start().index;
  if (up_to <= start) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(up_to - start));
  shape_.compact(up_to);
}

void memory_storage::undo_last() {
  auto& back = unsynced_.back();
  hard_ = back.hard;
  if (back.start) {
    entries_.clear();
    shape_.reset(*back.start);
  } else {
    cut(back.kept);
  }
  for (auto& value : back.dropped) {
    shape_.append(value);
    entries_.push_back(std::move(value));
  }
  unsynced_.pop_back();
}

raft::recovered memory_storage::crash(std::size_t keep) {
  while (unsynced_.size() > keep) undo_last();
  unsynced_.clear();
  compact_to_ = 0;
  failed_ = false;
  return contents();
}

} // namespace troupe

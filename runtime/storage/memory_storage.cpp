#include "runtime/storage/memory_storage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

void memory_storage::apply(const raft::write& change) {
  if (failed_) throw raft::storage_error("the simulated disk has failed");
  check_fits(shape_, change);
  undo back{hard_, shape_.last_index(), {}};
  if (change.hard) hard_ = *change.hard;
  if (change.truncate_from && *change.truncate_from <= shape_.last_index()) {
    back.kept = *change.truncate_from - 1;
    const auto from = entries_.begin() + static_cast<std::ptrdiff_t>(back.kept);
    back.dropped.assign(std::make_move_iterator(from), std::make_move_iterator(entries_.end()));
    entries_.erase(from, entries_.end());
    shape_.truncate(*change.truncate_from);
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
}

std::vector<raft::entry> memory_storage::read(raft::index_t first, raft::index_t last, std::size_t max_bytes) {
  std::vector<raft::entry> found;
  std::size_t cost = 0;
  for (auto index = std::max<raft::index_t>(first, 1); index <= std::min(last, shape_.last_index()); ++index) {
    const auto& value = entries_[index - 1];
    cost += value.cost();
    if (cost > max_bytes && !found.empty()) break;
    found.push_back(value);
  }
  return found;
}

void memory_storage::undo_last() {
  auto& back = unsynced_.back();
  hard_ = back.hard;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(back.kept), entries_.end());
  shape_.truncate(back.kept + 1);
  for (auto& value : back.dropped) {
    shape_.append(value);
    entries_.push_back(std::move(value));
  }
  unsynced_.pop_back();
}

raft::recovered memory_storage::crash(std::size_t keep) {
  while (unsynced_.size() > keep) undo_last();
  unsynced_.clear();
  failed_ = false;
  return contents();
}

raft::recovered memory_storage::contents() const {
  raft::recovered found;
  found.hard = hard_;
  found.last_index = shape_.last_index();
  found.terms = shape_.terms();
  found.configurations = shape_.configurations();
  return found;
}

} // namespace troupe

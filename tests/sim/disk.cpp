#include "tests/sim/disk.hpp"

#include <stdexcept>

namespace troupe::sim {

void image::apply(const raft::write& change) {
  if (change.hard) hard = *change.hard;
  if (change.truncate_from) log.resize(std::min(log.size(), static_cast<std::size_t>(*change.truncate_from - 1)));
  for (const auto& e : change.append) {
    if (e.index != log.size() + 1) throw std::logic_error("disk: an entry does not follow the log's end");
    log.push_back(e);
  }
}

void disk::hand_over(const raft::write& change) {
  if (change.empty() || change.number != written_number_ + 1)
    throw std::logic_error("disk: writes are numbered without gaps");
  written_number_ = change.number;
  written_.apply(change);
  unsynced_.push_back(change);
}

bool disk::start_sync() {
  if (syncing() || unsynced_.empty()) return false;
  covered_ = written_number_;
  return true;
}

raft::durable_mark disk::finish_sync() {
  while (!unsynced_.empty() && unsynced_.front().number <= covered_) {
    synced_.apply(unsynced_.front());
    unsynced_.pop_front();
  }
  synced_number_ = covered_;
  covered_ = 0;
  return {synced_number_, synced_.last_index(), synced_.last_term()};
}

bool disk::crash(raft::prng& random) {
  const auto kept = random.next() % (unsynced_.size() + 1);
  const bool lost = kept < unsynced_.size();
  for (std::size_t i = 0; i < kept; ++i) synced_.apply(unsynced_[i]);
  if (lost && random.next() % 2 == 0) {
    auto part = unsynced_[kept];
    part.append.resize(random.next() % (part.append.size() + 1));
    synced_.apply(part);
  }
  unsynced_.clear();
  written_ = synced_;
  synced_number_ = written_number_ = covered_ = 0;
  return lost;
}

raft::recovered disk::open() const {
  raft::recovered found;
  found.hard = synced_.hard;
  found.last_index = synced_.last_index();
  for (const auto& e : synced_.log) {
    if (found.terms.empty() || found.terms.back().term != e.term) found.terms.push_back({e.index, e.term});
    if (e.kind == raft::entry_kind::configuration) found.configurations.push_back(e);
  }
  return found;
}

raft::durable_mark disk::written_mark() const { return {written_number_, written_.last_index(), written_.last_term()}; }

std::vector<raft::entry> disk::read(raft::index_t first, std::size_t max_bytes) const {
  std::vector<raft::entry> part;
  std::size_t bytes = 0;
  for (auto i = first; i >= 1 && i <= written_.last_index(); ++i) {
    const auto& e = written_.log[i - 1];
    bytes += e.cost();
    if (!part.empty() && bytes > max_bytes) break;
    part.push_back(e);
  }
  return part;
}

} // namespace troupe::sim

#include "tests/sim/disk.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::sim {

std::string stored_snapshot::bytes() const {
  std::string text;
  raft::writer out{text};
  out.put(at.last.index);
  out.put(at.last.term);
  out.put(at.configuration_index);
  out.put_string(encode(at.members));
  out.put_string(state->save());
  return text;
}

raft::snapshot_id stored_snapshot::id() const {
  const auto text = bytes();
  return {at.last, text.size(), std::hash<std::string>{}(text)};
}

std::optional<stored_snapshot> stored_snapshot::from(std::string_view bytes) {
  raft::reader in{bytes};
  stored_snapshot made;
  made.at.last.index = in.get<std::uint64_t>();
  made.at.last.term = in.get<std::uint64_t>();
  made.at.configuration_index = in.get<std::uint64_t>();
  const auto members = raft::decode_configuration(in.get_string());
  const auto state = in.get_string();
  if (!in.done() || !members) return std::nullopt;
  made.at.members = *members;
  made.state = std::make_shared<const register_machine>(register_machine::load(state));
  return made;
}

raft::term_t image::term_at(raft::index_t index) const noexcept {
  if (index == start.index) return start.term;
  const auto* e = find(index);
  return e ? e->term : 0;
}

void image::apply(const raft::write& change) {
  if (change.hard) hard = *change.hard;
  if (change.reset_to) {
    start = *change.reset_to;
    log.clear();
  }
  if (change.truncate_from) {
    if (*change.truncate_from <= start.index) throw std::logic_error("disk: compacted entries are truncated");
    log.resize(std::min(log.size(), static_cast<std::size_t>(*change.truncate_from - start.index - 1)));
  }
  for (const auto& e : change.append) {
    if (e.index != last_index() + 1) throw std::logic_error("disk: an entry does not follow the log's end");
    log.push_back(e);
  }
}

void image::compact(raft::index_t up_to) {
  // The synced log may lag behind: then less of it is dropped.
  up_to = std::min(up_to, last_index());
  if (up_to <= start.index) return;
  const raft::log_position to{up_to, term_at(up_to)};
  log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(up_to - start.index));
  start = to;
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

void disk::compact(raft::index_t up_to) {
  if (up_to > covered()) throw std::logic_error("disk: compacted without a snapshot");
  // No unsynced write truncates below `up_to`, because committed entries are never truncated.
  synced_.compact(up_to);
  written_.compact(up_to);
}

void disk::keep(stored_snapshot snapshot) {
  const auto older = [&](const stored_snapshot& s) { return s.at.last.index < snapshot.at.last.index; };
  snapshots_.insert(std::find_if(snapshots_.begin(), snapshots_.end(), older), std::move(snapshot));
  if (snapshots_.size() > 2) snapshots_.resize(2);
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
  lose_unsynced();
  return lost;
}

void disk::lose_unsynced() {
  unsynced_.clear();
  written_ = synced_;
  synced_number_ = written_number_ = covered_ = 0;
}

void disk::forget_last(std::size_t entries) {
  lose_unsynced();
  synced_.log.resize(synced_.log.size() - std::min(entries, synced_.log.size()));
  written_ = synced_;
}

const stored_snapshot* disk::usable() const {
  for (const auto& s : snapshots_)
    if (!s.damaged && s.at.last.index >= synced_.start.index) return &s;
  return nullptr;
}

raft::recovered disk::open() {
  raft::recovered found;
  std::erase_if(snapshots_, [](const stored_snapshot& s) { return s.damaged; });
  if (const auto* s = usable()) {
    found.snapshot = s->at;
    if (synced_.term_at(s->at.last.index) != s->at.last.term) {
      synced_.start = s->at.last;
      synced_.log.clear();
      // A node that was never in that term has not voted in it.
      if (synced_.hard.term < s->at.last.term) synced_.hard = {s->at.last.term, {}};
      written_ = synced_;
    }
  } else {
    found.state_lost = synced_.start.index > 0;
  }
  found.hard = synced_.hard;
  found.start = synced_.start;
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
  for (auto i = std::max(first, written_.start.index + 1); const auto* e = written_.find(i); ++i) {
    bytes += e->cost();
    if (!part.empty() && bytes > max_bytes) break;
    part.push_back(*e);
  }
  return part;
}

} // namespace troupe::sim

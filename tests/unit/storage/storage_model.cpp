#include "tests/unit/storage/storage_model.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace troupe::test {

void log_model::apply(const raft::write& change) {
  if (change.hard) hard = *change.hard;
  if (change.reset_to) {
    start = *change.reset_to;
    entries.clear();
  }
  if (change.truncate_from && *change.truncate_from <= last_index())
    entries.resize(*change.truncate_from - 1 - start.index);
  entries.insert(entries.end(), change.append.begin(), change.append.end());
}

log_model log_model::behind(raft::index_t index) const {
  auto later = *this;
  for (; later.start.index < index; later.entries.erase(later.entries.begin()))
    later.start = {later.entries.front().index, later.entries.front().term};
  return later;
}

std::vector<raft::entry> log_model::read(raft::index_t first, raft::index_t last, std::size_t max_bytes) const {
  std::vector<raft::entry> found;
  std::size_t cost = 0;
  for (const auto& value : entries) {
    if (value.index < first || value.index > last) continue;
    cost += value.cost();
    if (cost > max_bytes && !found.empty()) break;
    found.push_back(value);
  }
  return found;
}

raft::recovered log_model::recovered() const {
  raft::recovered out;
  out.hard = hard;
  out.start = start;
  out.last_index = last_index();
  raft::term_t term = 0;
  for (const auto& value : entries) {
    if (value.term != term) out.terms.push_back({value.index, term = value.term});
    if (value.kind == raft::entry_kind::configuration) out.configurations.push_back(value);
  }
  return out;
}

bool same(const raft::recovered& a, const raft::recovered& b) {
  return a.hard == b.hard && a.start == b.start && a.last_index == b.last_index && a.terms == b.terms &&
         a.configurations == b.configurations;
}

std::uint64_t pick(random_source& random, std::uint64_t low, std::uint64_t high) {
  return low + random() % (high - low + 1);
}

raft::write random_write(random_source& random, const log_model& model, std::size_t max_data, raft::index_t compacted) {
  raft::write change;
  auto term = std::max<raft::term_t>(model.hard.term, 1);
  if (pick(random, 0, 3) == 0) change.hard = raft::hard_state{term += pick(random, 0, 2), {pick(random, 0, 3)}};
  auto last = model.last_index();
  auto start = std::max(model.start.index, compacted);
  if (pick(random, 0, 19) == 0) {
    change.reset_to = {start = last = pick(random, start, last + 20), term};
  }
  if (pick(random, 0, 5) == 0) {
    change.truncate_from = pick(random, std::max(start + 1, 1 + last / 2), last + 1);
    last = *change.truncate_from - 1;
  }
  for (auto left = pick(random, 0, 4); left > 0; --left) {
    raft::entry value{++last, term, static_cast<raft::entry_kind>(pick(random, 0, 2)), {}};
    std::string data(pick(random, 0, max_data), '\0');
    for (auto& c : data) c = static_cast<char>(pick(random, 0, 3));
    value.data = raft::bytes{std::move(data)};
    change.append.push_back(std::move(value));
  }
  return change;
}

raft::entry make_entry(raft::index_t index, raft::term_t term, std::string data) {
  return {index, term, raft::entry_kind::command, raft::bytes{std::move(data)}};
}

raft::write make_append(raft::index_t first, raft::index_t last, raft::term_t term, std::size_t size) {
  raft::write change;
  for (auto index = first; index <= last; ++index)
    change.append.push_back(make_entry(index, term, std::string(size, static_cast<char>('a' + index % 26))));
  return change;
}

raft::write make_reset(raft::index_t index, raft::term_t term) {
  raft::write change;
  change.reset_to = {index, term};
  return change;
}

raft::write make_truncation(raft::index_t from) {
  raft::write change;
  change.truncate_from = from;
  return change;
}

log_model contents(raft::storage& from, const raft::recovered& found) {
  log_model model;
  model.hard = found.hard;
  model.start = found.start;
  model.entries = from.read(1, found.last_index, SIZE_MAX);
  if (!same(model.recovered(), found)) throw std::logic_error("the recovered state differs from what can be read");
  return model;
}

log_model open_and_read(file_system& fs, const wal_options& options, std::vector<std::string>* notes) {
  raft::recovered found;
  const auto log = wal::open(fs, "/log", options, found);
  if (notes) *notes = found.notes;
  return contents(*log, found);
}

wal_options small_options() { return {.segment_size = 8192, .reserve = 512, .zero_ahead = 1024}; }

} // namespace troupe::test

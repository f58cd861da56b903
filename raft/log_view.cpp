#include "raft/log_view.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::raft {

log_view::log_view(const recovered& disk) : last_(disk.last_index), runs_(disk.terms) {
  for (const auto& e : disk.configurations) note_configuration(e);
}

std::optional<term_t> log_view::term_at(index_t index) const {
  if (index == 0) return 0;
  if (index > last_) return std::nullopt;
  const auto behind =
      std::upper_bound(runs_.begin(), runs_.end(), index, [](index_t i, const term_run& run) { return i < run.first; });
  return std::prev(behind)->term;
}

index_t log_view::last_at_or_below(index_t index, term_t term) const {
  auto end = std::min(index, last_);
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->first > end) continue;
    if (run->term <= term) return end;
    end = run->first - 1;
  }
  return 0;
}

void log_view::append(const entry& e) {
  if (e.index != last_ + 1 || e.term < last_term()) throw std::logic_error("raft: log entry out of order");
  note_term(e.index, e.term);
  if (e.kind == entry_kind::configuration) note_configuration(e);
  last_ = e.index;
  cached_bytes_ += e.cost();
  cache_.push_back(e);
}

void log_view::truncate_from(index_t from) {
  while (!cache_.empty() && cache_.back().index >= from) {
    cached_bytes_ -= cache_.back().cost();
    cache_.pop_back();
  }
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  while (!configurations_.empty() && configurations_.back().first >= from) configurations_.pop_back();
  last_ = std::min(last_, from - 1);
}

std::vector<entry> log_view::slice(index_t first, index_t last, std::size_t max_bytes) const {
  std::vector<entry> part;
  if (first < first_cached()) return part;
  std::size_t bytes = 0;
  for (auto i = first - first_cached(); i < cache_.size() && cache_[i].index <= last; ++i) {
    bytes += cache_[i].cost();
    if (!part.empty() && bytes > max_bytes) break;
    part.push_back(cache_[i]);
  }
  return part;
}

void log_view::evict(index_t limit, std::size_t max_bytes) {
  while (!cache_.empty() && cached_bytes_ > max_bytes && cache_.front().index <= limit) {
    cached_bytes_ -= cache_.front().cost();
    cache_.pop_front();
  }
}

const configuration& log_view::current() const noexcept {
  static const configuration none;
  return configurations_.empty() ? none : configurations_.back().second;
}

void log_view::note_term(index_t index, term_t term) {
  if (runs_.empty() || runs_.back().term != term) runs_.push_back({index, term});
}

void log_view::note_configuration(const entry& e) {
  auto value = decode_configuration(e.data.view());
  if (!value) throw std::logic_error("raft: configuration entry " + std::to_string(e.index) + " does not decode");
  configurations_.emplace_back(e.index, std::move(*value));
}

} // namespace troupe::raft

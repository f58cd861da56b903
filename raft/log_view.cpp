#include "raft/log_view.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::raft {
namespace {

const configuration no_configuration;

} // namespace

log_view::log_view(const recovered& disk)
    : start_(disk.start), last_(disk.last_index), runs_(disk.terms), bytes_(disk.start.index, disk.sizes) {
  if (disk.snapshot) configurations_.emplace_back(disk.snapshot->configuration_index, disk.snapshot->members);
  for (const auto& e : disk.configurations)
    if (e.index > configuration_index()) note_configuration(e);
}

std::optional<term_t> log_view::term_at(index_t index) const {
  if (index == 0) return 0;
  if (index == start_.index) return start_.term;
  if (index < start_.index || index > last_) return std::nullopt;
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
  return start_.index;
}

void log_view::append(const entry& e) {
  if (e.index != last_ + 1 || e.term < last_term()) throw std::logic_error("raft: log entry out of order");
  note_term(e.index, e.term);
  if (e.kind == entry_kind::configuration) note_configuration(e);
  last_ = e.index;
  cached_bytes_ += e.cost();
  bytes_.append(e.index, e.cost());
  cache_.push_back(e);
}

void log_view::truncate_from(index_t from) {
  const bool all_cached = from >= first_cached();
  const auto before = cached_bytes_;
  while (!cache_.empty() && cache_.back().index >= from) {
    cached_bytes_ -= cache_.back().cost();
    cache_.pop_back();
  }
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  while (!configurations_.empty() && configurations_.back().first >= from) configurations_.pop_back();
  bytes_.truncate_from(from, all_cached ? std::optional{before - cached_bytes_} : std::nullopt);
  last_ = std::min(last_, from - 1);
}

void log_view::compact(index_t up_to) {
  const auto term = term_at(up_to);
  if (!term || up_to < start_.index) throw std::logic_error("raft: compaction beyond the log");
  start_ = {up_to, *term};
  evict(up_to, 0);
  bytes_.compact(up_to);
  while (runs_.size() > 1 && runs_[1].first <= up_to + 1) runs_.erase(runs_.begin());
  if (up_to == last_) runs_.clear();
  if (!runs_.empty()) runs_.front().first = up_to + 1;
  while (configurations_.size() > 1 && configurations_[1].first <= up_to)
    configurations_.erase(configurations_.begin());
}

void log_view::reset(const snapshot_point& at) {
  start_ = at.last;
  last_ = at.last.index;
  runs_.clear();
  cache_.clear();
  cached_bytes_ = 0;
  bytes_.reset(at.last.index);
  configurations_.assign(1, {at.configuration_index, at.members});
}

void log_view::adopt_members(const snapshot_point& at) {
  if (configurations_.empty() || configurations_.front().first > at.configuration_index)
    configurations_.insert(configurations_.begin(), {at.configuration_index, at.members});
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

index_t log_view::tail_behind(index_t end, index_t entries, std::uint64_t bytes) const {
  return std::max(end - std::min(end, entries), bytes_.first_within(end, bytes));
}

const configuration& log_view::current() const noexcept {
  return configurations_.empty() ? no_configuration : configurations_.back().second;
}

const configuration& log_view::previous() const noexcept {
  return configurations_.size() < 2 ? no_configuration : configurations_[configurations_.size() - 2].second;
}

std::pair<index_t, const log_view::placed_configuration*> log_view::last_membership(node_id id) const noexcept {
  const placed_configuration* left = nullptr;
  for (auto c = configurations_.rbegin(); c != configurations_.rend(); ++c) {
    if (c->second.is_member(id)) return {c->first, left};
    left = &*c;
  }
  return {0, nullptr};
}

bool log_view::may_count(node_id id, index_t commit) const noexcept {
  for (auto c = configurations_.rbegin(); c != configurations_.rend(); ++c) {
    if (c->second.is_voter(id)) return true;
    if (c->first <= commit) return false;
  }
  return false;
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

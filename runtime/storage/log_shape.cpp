#include "runtime/storage/log_shape.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace troupe {

raft::term_t log_shape::term_at(raft::index_t index) const {
  const auto next = std::upper_bound(terms_.begin(), terms_.end(), index,
                                     [](raft::index_t at, const raft::term_run& run) { return at < run.first; });
  return next == terms_.begin() ? start_.term : std::prev(next)->term;
}

void log_shape::append(const raft::entry& value) {
  if (terms_.empty() || terms_.back().term != value.term) terms_.push_back({value.index, value.term});
  if (value.kind == raft::entry_kind::configuration) configurations_.push_back(value);
  last_index_ = value.index;
}

void log_shape::truncate(raft::index_t from) {
  if (from > last_index_) return;
  while (!terms_.empty() && terms_.back().first >= from) terms_.pop_back();
  while (!configurations_.empty() && configurations_.back().index >= from) configurations_.pop_back();
  last_index_ = from - 1;
}

void log_shape::reset(raft::log_position start) {
  start_ = start;
  last_index_ = start.index;
  terms_.clear();
  configurations_.clear();
}

void log_shape::compact(raft::index_t up_to) {
  start_ = {up_to, term_at(up_to)};
  // If the run that contains `up_to` continues after it, it now begins at `up_to + 1`.
  const auto behind =
      std::find_if(terms_.begin(), terms_.end(), [&](const auto& run) { return run.first > up_to + 1; });
  if (behind != terms_.begin()) {
    auto keep = std::prev(behind);
    keep->first = up_to + 1;
    if (up_to == last_index_) ++keep;
    terms_.erase(terms_.begin(), keep);
  }
  std::erase_if(configurations_, [&](const raft::entry& value) { return value.index <= up_to; });
}

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw raft::storage_error("a write does not fit the log: " + what);
}

} // namespace

void check_fits(const log_shape& shape, const raft::write& change) {
  const auto start = change.reset_to.value_or(shape.start());
  auto last = change.reset_to ? start.index : shape.last_index();
  if (change.truncate_from) {
    if (*change.truncate_from <= start.index)
      refuse("truncation from index " + std::to_string(*change.truncate_from) + ", but the log begins after " +
             std::to_string(start.index));
    last = std::min(last, *change.truncate_from - 1);
  }
  auto term = change.reset_to ? start.term : shape.term_at(last);
  for (const auto& value : change.append) {
    if (value.index != last + 1)
      refuse("index " + std::to_string(value.index) + ", expected " + std::to_string(last + 1));
    if (value.term < term) refuse("term " + std::to_string(value.term) + " after term " + std::to_string(term));
    term = value.term;
    ++last;
  }
}

raft::recovered describe(const log_shape& shape, const raft::hard_state& hard) {
  raft::recovered found;
  found.hard = hard;
  found.last_index = shape.last_index();
  found.terms = shape.terms();
  found.configurations = shape.configurations();
  found.start = shape.start();
  return found;
}

} // namespace troupe

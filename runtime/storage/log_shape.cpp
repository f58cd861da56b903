#include "runtime/storage/log_shape.hpp"

#include <algorithm>
#include <string>

namespace troupe {

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

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw raft::storage_error("a write does not fit the log: " + what);
}

/// The term of the last entry before `index`, which must lie in the log or right behind it.
raft::term_t term_before(const log_shape& shape, raft::index_t index) {
  const auto& terms = shape.terms();
  const auto next = std::lower_bound(terms.begin(), terms.end(), index,
                                     [](const raft::term_run& run, raft::index_t at) { return run.first < at; });
  return next == terms.begin() ? 0 : std::prev(next)->term;
}

} // namespace

void check_fits(const log_shape& shape, const raft::write& change) {
  if (change.reset_to) refuse("it resets the log");
  auto next = shape.last_index() + 1;
  if (change.truncate_from) {
    if (*change.truncate_from == 0) refuse("it truncates from index 0");
    next = std::min(next, *change.truncate_from);
  }
  auto term = term_before(shape, next);
  for (const auto& value : change.append) {
    if (value.index != next)
      refuse("index " + std::to_string(value.index) + " where " + std::to_string(next) + " is due");
    if (value.term < term) refuse("term " + std::to_string(value.term) + " after term " + std::to_string(term));
    term = value.term;
    ++next;
  }
}

} // namespace troupe

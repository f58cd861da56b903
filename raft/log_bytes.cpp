#include "raft/log_bytes.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::raft {

log_bytes::log_bytes(index_t start, const std::vector<byte_mark>& marks) : marks_(marks.begin(), marks.end()) {
  if (marks_.empty()) marks_.push_back({start, 0});
  last_ = marks_.back().index;
  end_ = marks_.back().bytes;
}

void log_bytes::append(index_t index, std::size_t cost) {
  last_ = index;
  end_ += cost;
  if (end_ - marks_.back().bytes >= grain) marks_.push_back({index, end_});
}

void log_bytes::truncate_from(index_t from, std::optional<std::uint64_t> cost) {
  if (from > last_) return;
  while (marks_.size() > 1 && marks_.back().index >= from) marks_.pop_back();
  last_ = from - 1;
  end_ = cost ? end_ - *cost : marks_.back().bytes;
}

void log_bytes::compact(index_t up_to) {
  while (marks_.size() > 1 && marks_[1].index <= up_to) marks_.pop_front();
}

void log_bytes::reset(index_t start) {
  marks_.assign(1, {start, end_});
  last_ = start;
}

std::vector<byte_mark> log_bytes::marks() const {
  std::vector<byte_mark> all{marks_.begin(), marks_.end()};
  if (end_ > all.back().bytes) all.push_back({last_, end_});
  return all;
}

std::uint64_t log_bytes::up_to(index_t index) const {
  if (index >= last_) return end_;
  const auto behind =
      std::upper_bound(marks_.begin(), marks_.end(), index, [](index_t i, const byte_mark& m) { return i < m.index; });
  return behind == marks_.begin() ? marks_.front().bytes : std::prev(behind)->bytes;
}

index_t log_bytes::first_within(index_t end, std::uint64_t most) const {
  const auto total = up_to(end);
  const auto from = total > most ? total - most : 0;
  if (from <= marks_.front().bytes) return 0;
  const auto found = std::lower_bound(marks_.begin(), marks_.end(), from,
                                      [](const byte_mark& m, std::uint64_t bytes) { return m.bytes < bytes; });
  return found == marks_.end() ? end : std::min(found->index, end);
}

} // namespace troupe::raft

#include "actors/replica/apply_pipeline.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace troupe {

void apply_pipeline::add(batch what, const std::vector<std::string>& services) {
  const auto number = first_ + batches_.size();
  for (const auto& service : services) expected_[service].push_back(number);
  bytes_ += what.bytes;
  batches_.push_back({std::move(what), services.size()});
}

void apply_pipeline::answered(const std::string& service, std::vector<applied_item> outcomes) {
  auto& expected = expected_[service];
  if (expected.empty()) throw std::logic_error("the service " + service + " answered a batch that it was not given");
  auto& mine = batches_[expected.front() - first_];
  expected.pop_front();
  --mine.unanswered;
  auto& items = mine.what.items;
  if (items.empty())
    items = std::move(outcomes);
  else
    items.insert(items.end(), std::move_iterator{outcomes.begin()}, std::move_iterator{outcomes.end()});
}

std::optional<apply_pipeline::batch> apply_pipeline::take_complete() {
  if (batches_.empty() || batches_.front().unanswered > 0) return std::nullopt;
  auto oldest = std::move(batches_.front().what);
  batches_.pop_front();
  ++first_;
  bytes_ -= oldest.bytes;
  std::sort(oldest.items.begin(), oldest.items.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return oldest;
}

} // namespace troupe

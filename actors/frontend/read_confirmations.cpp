#include "actors/frontend/read_confirmations.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

const confirmation* read_confirmations::find(raft::tag_t number) const {
  const auto found = asked_.find(number);
  return found == asked_.end() ? nullptr : &found->second;
}

std::optional<confirmation> read_confirmations::take(raft::tag_t number) {
  auto taken = asked_.extract(number);
  if (!taken) return std::nullopt;
  return std::move(taken.mapped());
}

std::vector<raft::tag_t> read_confirmations::asked_of(node_id by) const {
  std::vector<raft::tag_t> numbers;
  for (const auto& [number, question] : asked_)
    if (question.by == by) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void read_confirmations::expire(raft::time_point now) {
  std::erase_if(asked_, [now](const auto& c) { return c.second.deadline <= now; });
}

std::vector<remote_read> read_confirmations::take_remotes() {
  std::vector<remote_read> all;
  for (auto& [number, question] : std::exchange(asked_, {}))
    all.insert(all.end(), question.remotes.begin(), question.remotes.end());
  return all;
}

} // namespace troupe

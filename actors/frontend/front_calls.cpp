#include "actors/frontend/front_calls.hpp"

#include <algorithm>
#include <limits>

namespace troupe {

void front_calls::add(caf::response_promise promise, deliver_result deliver, access how,
                      std::chrono::milliseconds timeout, std::string envelope) {
  const auto number = ++last_number_;
  // 0 would ask for the proxy's default.
  const auto ms =
      std::clamp<std::chrono::milliseconds::rep>(timeout.count(), 1, std::numeric_limits<std::uint32_t>::max());
  calls_.emplace(number, call{std::move(promise), deliver, how});
  batch_.commands.push_back({number, how, static_cast<std::uint32_t>(ms), raft::bytes{std::move(envelope)}});
}

void front_calls::settle(outcome_batch& answers) {
  const auto leader = answers.leader ? to_string(answers.leader) : std::string{};
  for (auto& outcome : answers.outcomes) {
    auto node = calls_.extract(outcome.number);
    if (!node) continue;
    auto& [promise, deliver, how] = node.mapped();
    if (outcome.code != errc::none) {
      promise.deliver(make_error({outcome.code, std::move(outcome.payload), leader, answers.leader_address}));
    } else if (!deliver(promise, outcome.payload)) {
      // A command was applied nevertheless.
      const auto code = how == access::write ? errc::outcome_unknown : errc::undecodable;
      promise.deliver(make_error({code, "cannot decode the result (different service version?)", {}, {}}));
    }
  }
}

void front_calls::abandon(const std::string& why, bool answered_all) {
  const auto kept = take_batch();
  const auto first_kept = kept.commands.empty() ? last_number_ + 1 : kept.commands.front().number;
  for (auto& [number, each] : std::exchange(calls_, {})) {
    const bool was_sent = number < first_kept && !answered_all;
    const auto code = each.how == access::write && was_sent ? errc::outcome_unknown : errc::stopping;
    each.promise.deliver(make_error({code, why, {}, {}}));
  }
}

} // namespace troupe

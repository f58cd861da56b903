// Collects outgoing answers into one message for each requester, in the order of their first answers.
#pragma once

#include "actors/frontend/pending_table.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// The maximum number of commands or outcomes in one message, far below the limit of a receiver.
inline constexpr std::size_t max_listed = wire::max_elements / 8;

class outbox {
 public:
  bool empty() const noexcept { return batches_.empty(); }

  void add(const requester_handle& to, command_outcome outcome) {
    if (!to) return; // sent without a sender: no actor expects the outcome
    const auto [found, fresh] = index_.try_emplace(to.address(), batches_.size());
    if (fresh) batches_.push_back({to, {}});
    batches_[found->second].outcomes.push_back(std::move(outcome));
  }

  /// Empties the outbox with calls of `send(requester, outcomes)`, each with at most `max_bytes` or a single outcome.
  template <class Send> void drain(std::size_t max_bytes, Send send) {
    for (auto& [to, outcomes] : batches_) {
      std::vector<command_outcome> part;
      std::size_t bytes = 0;
      for (auto& outcome : outcomes) {
        const bool full = bytes + outcome.payload.size() > max_bytes || part.size() >= max_listed;
        if (!part.empty() && full) {
          send(to, std::exchange(part, {}));
          bytes = 0;
        }
        bytes += outcome.payload.size();
        part.push_back(std::move(outcome));
      }
      send(to, std::move(part));
    }
    batches_.clear();
    index_.clear();
  }

 private:
  struct batch {
    requester_handle to;
    std::vector<command_outcome> outcomes;
  };
  std::vector<batch> batches_;
  std::unordered_map<caf::actor_addr, std::size_t> index_;
};

} // namespace troupe

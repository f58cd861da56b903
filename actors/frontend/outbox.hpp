// Answers on their way out: one message to each asker, in the order in which they first came up.
#pragma once

#include "actors/frontend/pending_table.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Commands or outcomes of one message: far from what a receiver takes at most.
inline constexpr std::size_t max_listed = wire::max_elements / 8;

class outbox {
 public:
  bool empty() const noexcept { return piles_.empty(); }

  void add(const asker_handle& to, command_outcome outcome) {
    if (!to) return; // sent without a sender: nobody wants to know
    const auto [found, fresh] = index_.try_emplace(to.address(), piles_.size());
    if (fresh) piles_.push_back({to, {}});
    piles_[found->second].outcomes.push_back(std::move(outcome));
  }

  /// Empties itself into `send(asker, outcomes)`, with at most `max_bytes` (or a single outcome) at a time.
  template <class Send> void drain(std::size_t max_bytes, Send send) {
    for (auto& [to, outcomes] : piles_) {
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
    piles_.clear();
    index_.clear();
  }

 private:
  struct pile {
    asker_handle to;
    std::vector<command_outcome> outcomes;
  };
  std::vector<pile> piles_;
  std::unordered_map<caf::actor_addr, std::size_t> index_;
};

} // namespace troupe

// Virtual time: an event queue, and clocks that run at their own rate.
#pragma once

#include "raft/base/types.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace troupe::sim {

using raft::duration;
using raft::time_point;

/// The time since the start of the simulation. No node's clock shows it.
class scheduler {
 public:
  duration now() const noexcept { return now_; }

  void at(duration when, std::function<void()> what) {
    queue_.push_back({std::max(when, now_), ++sequence_, std::move(what)});
    std::push_heap(queue_.begin(), queue_.end(), later{});
  }
  void after(duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  /// Runs the next event if it is due by `end`. Events at the same time run in the order in which they were queued.
  bool run_one(duration end) {
    if (queue_.empty() || queue_.front().when > end) return false;
    std::pop_heap(queue_.begin(), queue_.end(), later{});
    auto next = std::move(queue_.back());
    queue_.pop_back();
    now_ = next.when;
    next.what();
    return true;
  }
  void run_until(duration end) {
    while (run_one(end)) {
    }
    now_ = std::max(now_, end);
  }

 private:
  struct item {
    duration when;
    std::uint64_t sequence;
    std::function<void()> what;
  };
  struct later {
    bool operator()(const item& a, const item& b) const noexcept {
      return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
    }
  };

  duration now_{0};
  std::uint64_t sequence_ = 0;
  std::vector<item> queue_;
};

/// One machine's steady clock: starts at any time and runs at `permille` thousandths of true speed.
struct local_clock {
  duration offset{0};
  std::int64_t permille = 1000;

  time_point show(duration now) const { return time_point{offset + now * permille / 1000}; }
  /// The first moment at which this clock shows `when`.
  duration moment(time_point when) const {
    const auto span = (when.time_since_epoch() - offset) * 1000;
    return span <= duration{0} ? duration{0} : (span + duration{permille - 1}) / permille;
  }
};

} // namespace troupe::sim

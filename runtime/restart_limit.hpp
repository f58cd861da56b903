// How often a replica may restart before its node gives up.
#pragma once

#include "raft/base/types.hpp"

#include <chrono>
#include <cstddef>
#include <deque>

namespace troupe {

/// Pure. A replica that dies more than three times within ten seconds would fail again.
class restart_limit {
 public:
  void note(raft::time_point now) {
    times_.push_back(now);
    while (now - times_.front() > window) times_.pop_front();
  }
  bool exceeded() const noexcept { return times_.size() > most; }

 private:
  static constexpr std::size_t most = 3;
  static constexpr auto window = std::chrono::seconds{10};
  std::deque<raft::time_point> times_;
};

} // namespace troupe

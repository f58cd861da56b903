// A handler that answers when the test says so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <troupe/http/server.hpp>
#include <utility>
#include <vector>

namespace troupe::http::testing {

/// Keeps requests until the test answers them, as an actor would.
class desk {
 public:
  handler take() {
    return [this](request asked, responder answer) {
      const std::lock_guard lock(mutex_);
      held_.emplace_back(std::move(asked), std::move(answer));
      arrived_.notify_all();
    };
  }

  /// Waits for `count` requests, and removes and returns them.
  std::vector<std::pair<request, responder>> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.size() >= count; }))
      throw std::runtime_error("only " + std::to_string(held_.size()) + " requests arrived");
    return std::exchange(held_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::pair<request, responder>> held_;
};

} // namespace troupe::http::testing

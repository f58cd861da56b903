// How answers of other threads reach the I/O thread. Internal to the server.
#pragma once

#include "runtime/http/message.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::http {

struct answer {
  std::uint64_t connection = 0;
  response content;
};

/// Collects answers. Actors answer in bursts, so only the first of a burst wakes the I/O thread.
class mailbox {
 public:
  explicit mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread. Without effect once closed.
  void post(std::uint64_t connection, response content) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    answers_.push_back({connection, std::move(content)});
    // Under the lock, so that nobody wakes what `close` has already released.
    if (answers_.size() == 1) wake_();
  }

  /// Swaps the collected answers with `taken`, which must be empty and lends its memory to the next burst.
  void take(std::vector<answer>& taken) {
    const std::lock_guard lock(mutex_);
    answers_.swap(taken);
  }

  /// From here on answers vanish, and `wake` is never called again.
  void close() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    answers_.clear();
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<answer> answers_;
};

} // namespace troupe::http

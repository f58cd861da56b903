// How answers of other threads reach the I/O thread. Internal to the server.
#pragma once

#include "runtime/http/message.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::http {

/// The next one of a body; empty when there is no more.
struct piece {
  std::string bytes;
};
using answer_content = std::variant<response, piece>;

struct answer {
  std::uint64_t connection = 0;
  answer_content content;
};

/// Collects answers. Actors answer in bursts, so only the first of a burst wakes the I/O thread.
class mailbox {
 public:
  explicit mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread. Without effect once closed.
  void post(std::uint64_t connection, answer_content content) {
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

/// One answer that somebody owes to a connection. Any thread.
class promise {
 public:
  promise(std::shared_ptr<mailbox> answers, std::uint64_t connection, answer_content (*if_broken)())
      : answers_(std::move(answers)), connection_(connection), if_broken_(if_broken) {}
  promise(const promise&) = delete;
  promise& operator=(const promise&) = delete;
  ~promise() {
    if (!kept_) keep(if_broken_());
  }

  /// The first one counts.
  void keep(answer_content content) {
    if (!kept_.exchange(true)) answers_->post(connection_, std::move(content));
  }

 private:
  std::shared_ptr<mailbox> answers_;
  std::uint64_t connection_;
  answer_content (*if_broken_)();
  std::atomic<bool> kept_ = false;
};

} // namespace troupe::http

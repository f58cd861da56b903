// Passes answers from other threads to the I/O thread. Internal to the server.
#pragma once

#include "runtime/http/budget.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <troupe/http/message.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::http {

/// The next piece of a body. Empty if there is none, which is an error.
struct piece {
  std::string bytes;
};
using answer_content = std::variant<response, piece>;

struct answer {
  std::uint64_t connection = 0;
  answer_content content;
  /// The part of the server's memory budget that the content holds.
  charge held = {};
};

/// Collects answers. Actors answer in bursts, so only the first answer of a burst wakes the I/O thread.
class mailbox {
 public:
  explicit mailbox(std::function<void()> wake, std::shared_ptr<byte_budget> budget = nullptr)
      : wake_(std::move(wake)), budget_(std::move(budget)) {}

  /// Null: no limit.
  const std::shared_ptr<byte_budget>& budget() const noexcept { return budget_; }
  /// Records that there was no memory for an answer. Thread-safe.
  void note_shortage() noexcept { short_of_room_ = true; }
  /// Whether there was a shortage since the last call.
  bool take_shortage() noexcept { return short_of_room_.exchange(false); }

  /// Thread-safe. Has no effect after `close`.
  void post(answer one) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    answers_.push_back(std::move(one));
    // Under the lock, so that `wake_` is never called after `close`.
    if (answers_.size() == 1) wake_();
  }

  /// Swaps the collected answers with `taken`, which must be empty. Its capacity is used for the next burst.
  void take(std::vector<answer>& taken) {
    const std::lock_guard lock(mutex_);
    answers_.swap(taken);
  }

  /// From now on answers are discarded, and `wake` is not called.
  void close() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    answers_.clear();
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<answer> answers_;
  const std::shared_ptr<byte_budget> budget_;
  std::atomic<bool> short_of_room_ = false;
};

/// One answer that is due to a connection. Thread-safe.
class promise {
 public:
  using make_content = answer_content (*)();

  /// `request` is the part of the memory budget that the request holds until it is answered. If there is no memory for
  /// the answer, `if_no_room` replaces it.
  promise(std::shared_ptr<mailbox> answers, std::uint64_t connection, charge request, make_content if_broken,
          make_content if_no_room)
      : answers_(std::move(answers)), connection_(connection), request_(std::move(request)), if_broken_(if_broken),
        if_no_room_(if_no_room) {}
  promise(const promise&) = delete;
  promise& operator=(const promise&) = delete;
  ~promise() {
    if (!kept_) keep(if_broken_());
  }

  /// Only the first call has an effect.
  void keep(answer_content content) {
    if (kept_.exchange(true)) return;
    request_.release();
    answer one{connection_, std::move(content), charge(answers_->budget())};
    if (!one.held.hold_answer(size_of(one.content))) {
      answers_->note_shortage();
      one.content = if_no_room_();
    }
    answers_->post(std::move(one));
  }

 private:
  static std::size_t size_of(const answer_content& content) {
    if (const auto* whole = std::get_if<response>(&content)) return heap_bytes(whole->body);
    return heap_bytes(std::get<piece>(content).bytes);
  }

  std::shared_ptr<mailbox> answers_;
  std::uint64_t connection_;
  charge request_;
  make_content if_broken_;
  make_content if_no_room_;
  std::atomic<bool> kept_ = false;
};

} // namespace troupe::http

// Limits the memory that a server uses for its clients. Internal to the server. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace troupe::http {

/// Bytes of the heap that a string occupies: none for a short one, which is stored in the object itself.
inline std::size_t heap_bytes(const std::string& text) noexcept {
  static const auto within = std::string{}.capacity();
  return text.capacity() > within ? text.capacity() : 0;
}

/// Frees the heap memory of the string. Assigning an empty string would keep it.
inline void free_heap(std::string& text) noexcept { std::string().swap(text); }

/// Counts bytes up to a limit.
class byte_budget {
 public:
  /// The first `allowance` bytes of each connection in each direction are not counted, so a small request or answer
  /// never waits for others. The server subtracts the allowances of all connections from the total.
  explicit byte_budget(std::size_t limit, std::size_t allowance = 0) : limit_(limit), allowance_(allowance) {}

  /// The limit for requests. The rest is for answers, so that unfinished requests cannot block answers.
  std::size_t limit_of_requests() const noexcept { return limit_ / 4 * 3; }
  std::size_t limit() const noexcept { return limit_; }
  std::size_t allowance() const noexcept { return allowance_; }
  std::size_t used() const noexcept { return used_; }

  /// Takes `bytes`. Returns false, and takes nothing, if that would exceed `limit`.
  bool take(std::size_t bytes, std::size_t limit) noexcept {
    auto used = used_.load();
    do {
      if (bytes > limit || used > limit - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return true;
  }
  void give(std::size_t bytes) noexcept { used_ -= bytes; }

 private:
  const std::size_t limit_;
  const std::size_t allowance_;
  std::atomic<std::size_t> used_ = 0;
};

/// The part of a budget that one request or answer holds. The destructor gives it back. Without a budget nothing is
/// counted.
class charge {
 public:
  charge() = default;
  explicit charge(std::shared_ptr<byte_budget> from) : from_(std::move(from)) {}
  charge(charge&& other) noexcept : from_(std::move(other.from_)), taken_(std::exchange(other.taken_, 0)) {}
  charge& operator=(charge&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~charge() { release(); }

  /// Changes the total to `bytes`, for a request or for an answer. Returns false, and changes nothing, if the budget
  /// does not allow it.
  bool hold_request(std::size_t bytes) { return hold(bytes, from_ ? from_->limit_of_requests() : 0); }
  bool hold_answer(std::size_t bytes) { return hold(bytes, from_ ? from_->limit() : 0); }
  void release() noexcept {
    if (from_) from_->give(std::exchange(taken_, 0));
  }
  std::size_t taken() const noexcept { return taken_; }

 private:
  bool hold(std::size_t bytes, std::size_t limit) {
    if (!from_) return true;
    const auto counted = bytes > from_->allowance() ? bytes - from_->allowance() : 0;
    if (counted > taken_ && !from_->take(counted - taken_, limit)) return false;
    if (counted < taken_) from_->give(taken_ - counted);
    taken_ = counted;
    return true;
  }

  std::shared_ptr<byte_budget> from_;
  std::size_t taken_ = 0;
};

} // namespace troupe::http

// A copy-on-write pointer: a holder that changes the value while others hold it gets a copy.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace troupe::detail {

/// Holds a `T`, or nothing after a default construction or a move. Copies share the `T`. Copies may be read, changed
/// and destroyed on several threads at once; one pointer is used by one thread at a time.
///
/// Why that is safe: only a holder of a `T` can add another holder. A holder that sees a count of 1 is therefore alone,
/// and stays alone while it does not copy its own pointer. The reads of former holders must happen before its writes:
/// dropping a pointer releases, and `is_mine` acquires. (std::shared_ptr has no such test: use_count() is relaxed.)
template <class T> class cow_ptr {
 public:
  cow_ptr() noexcept = default;
  template <class... Args> static cow_ptr make(Args&&... args) {
    cow_ptr made;
    made.block_ = new block{{1}, T(std::forward<Args>(args)...)};
    return made;
  }
  cow_ptr(const cow_ptr& other) noexcept : block_(other.block_) {
    // Relaxed: `other` keeps the block alive meanwhile, and passing a pointer to another thread synchronizes.
    if (block_) block_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  cow_ptr(cow_ptr&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  cow_ptr& operator=(const cow_ptr& other) noexcept {
    if (this != &other) *this = cow_ptr(other);
    return *this;
  }
  cow_ptr& operator=(cow_ptr&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~cow_ptr() {
    if (block_ && (is_mine() || block_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)) delete block_;
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  const T& operator*() const noexcept { return block_->value; }
  const T* operator->() const noexcept { return &block_->value; }

  /// True if this is the only holder of the value. It says nothing about what the value itself points to.
  bool is_mine() const noexcept { return block_->holders.load(std::memory_order_acquire) == 1; }
  /// Returns the value for changing; makes a copy of it first if there are other holders. Do not write through the
  /// reference after this pointer was copied.
  T& edit() {
    if (!is_mine()) [[unlikely]]
      *this = make(block_->value);
    return block_->value;
  }

 private:
  struct block {
    std::atomic<std::size_t> holders;
    T value;
  };

  block* block_ = nullptr;
};

} // namespace troupe::detail

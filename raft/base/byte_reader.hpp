// A bounds-checked cursor over bytes. The formats that use it differ in what they read from the bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace troupe::raft {

/// After the first failure, `ok()` stays false and all results are empty.
class byte_reader {
 public:
  explicit byte_reader(std::string_view in) : in_(in) {}

  std::string_view get_raw(std::size_t size) {
    if (!ok_ || size > in_.size()) {
      ok_ = false;
      return {};
    }
    const auto part = in_.substr(0, size);
    in_.remove_prefix(size);
    return part;
  }

  bool ok() const noexcept { return ok_; }
  std::size_t left() const noexcept { return in_.size(); }
  /// True if everything was read without a failure.
  bool done() const noexcept { return ok_ && in_.empty(); }

 protected:
  /// The bytes within the bounds violate the format.
  void fail() noexcept { ok_ = false; }

 private:
  std::string_view in_;
  bool ok_ = true;
};

} // namespace troupe::raft

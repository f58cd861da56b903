// The part of a frame that a test has not read yet.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::net::testing {

/// The bytes are not those that a reader demands.
struct not_it : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void demand(bool what) {
  if (!what) throw not_it("not what is demanded");
}

/// Each function removes something from the front, or throws not_it.
class frame_rest {
 public:
  explicit frame_rest(std::string_view bytes) : bytes_(bytes) {}
  /// The bytes would be gone before they are read.
  explicit frame_rest(std::string&&) = delete;

  std::string take(std::size_t size) {
    demand(size <= bytes_.size());
    const std::string taken{bytes_.substr(0, size)};
    bytes_ = bytes_.substr(size);
    return taken;
  }
  std::uint64_t integer(unsigned size) {
    std::uint64_t value = 0;
    for (const char c : take(size)) value = value * 256 + static_cast<unsigned char>(c);
    return value;
  }
  std::uint64_t length() {
    std::uint64_t value = 0;
    std::uint64_t weight = 1;
    for (int groups = 0; groups < 8; ++groups, weight *= 128) {
      const auto group = integer(1);
      value += group % 128 * weight;
      if (group < 128) return value;
    }
    throw not_it("endless");
  }
  std::string text() { return take(length()); }

 private:
  std::string_view bytes_;
};

} // namespace troupe::net::testing

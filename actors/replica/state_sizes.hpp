// The size of each service's state, and of all together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace troupe {

/// Pure. All sizes are in bytes.
class state_sizes {
 public:
  /// Returns false if the size is the known one.
  bool set(const std::string& service, std::uint64_t bytes) {
    auto& known = sizes_[service];
    if (known == bytes) return false;
    total_ += bytes - known;
    known = bytes;
    return true;
  }
  std::uint64_t total() const noexcept { return total_; }

 private:
  std::map<std::string, std::uint64_t, std::less<>> sizes_;
  std::uint64_t total_ = 0;
};

} // namespace troupe

// The checksum that all files use.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace troupe {

/// XXH3, 64 bits.
std::uint64_t checksum(std::string_view data, std::uint64_t seed = 0);

/// Computes the same checksum incrementally, with seed 0.
class running_checksum {
 public:
  running_checksum();
  void update(std::string_view data);
  /// The checksum of everything so far.
  std::uint64_t value() const;

 private:
  struct state;
  struct release {
    void operator()(state* of) const noexcept;
  };
  std::unique_ptr<state, release> state_;
};

} // namespace troupe

// A small seeded random number generator, kept in the node's state instead of global randomness.
#pragma once

#include "raft/base/types.hpp"

#include <cstdint>

namespace troupe::raft {

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
class prng {
 public:
  explicit prng(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    auto z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// A random duration in [low, high].
  duration between(duration low, duration high) noexcept {
    const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + duration{static_cast<duration::rep>(next() % span)};
  }

 private:
  std::uint64_t state_;
};

} // namespace troupe::raft

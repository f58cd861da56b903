// Interprets a fuzzer's input as one end of a connection: which end it is, how its bytes are split, and the bytes.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::testing {

struct fuzz_input {
  side here = side::accepted;
  /// Sizes of the chunks in which the bytes arrive and are read, used repeatedly in order. 0: nothing arrives. Empty:
  /// many bytes at once.
  std::vector<std::uint8_t> splits;
  std::string bytes;
};

constexpr std::size_t max_splits = 15;

inline fuzz_input decode(std::string_view raw) {
  fuzz_input input;
  if (raw.empty()) return input;
  const auto head = static_cast<std::uint8_t>(raw[0]);
  raw.remove_prefix(1);
  input.here = head % 2 == 0 ? side::accepted : side::dialed;
  for (auto left = std::min<std::size_t>(head / 2 % (max_splits + 1), raw.size()); left > 0; --left) {
    input.splits.push_back(static_cast<std::uint8_t>(raw[0]));
    raw.remove_prefix(1);
  }
  input.bytes = raw;
  return input;
}

inline std::string encode(const fuzz_input& input) {
  std::string raw(1, static_cast<char>((input.here == side::dialed ? 1 : 0) + 2 * input.splits.size()));
  raw.append(input.splits.begin(), input.splits.end());
  return raw + input.bytes;
}

} // namespace troupe::net::testing

#include "tests/fuzz/mutator.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace troupe::fuzz {

std::string mutator::next() {
  auto bytes = any_of(pool_);
  for (auto left = 1 + below(8); left > 0; --left) change(bytes);
  if (bytes.size() > max_size_) bytes.resize(max_size_);
  return bytes;
}

void mutator::change(std::string& bytes) {
  switch (below(9)) {
  case 0: // flip one bit
    if (!bytes.empty()) bytes[below(bytes.size())] ^= static_cast<char>(1U << below(8));
    break;
  case 1: // change one byte
    if (!bytes.empty()) bytes[below(bytes.size())] = static_cast<char>(below(256));
    break;
  case 2:
    put_number(bytes);
    break;
  case 3: { // remove a part
    const auto from = below(bytes.size());
    bytes.erase(from, 1 + below(std::min<std::size_t>(bytes.size(), 32)));
    break;
  }
  case 4:
    bytes.resize(below(bytes.size() + 1));
    break;
  case 5: // duplicate a part
    insert(bytes, part_of(bytes));
    break;
  case 6: // insert a part of another input
    insert(bytes, part_of(any_of(pool_)));
    break;
  case 7:
    if (!words_.empty()) insert(bytes, any_of(words_));
    break;
  case 8: { // insert a run of one byte
    insert(bytes, std::string(1 + below(40), static_cast<char>(below(256))));
    break;
  }
  }
}

/// Overwrites an integer of 1, 2, 4 or 8 bytes with one near a limit.
void mutator::put_number(std::string& bytes) {
  constexpr std::array<std::uint64_t, 10> limits{0,       1,          0x7f,       0xff,       0xffff,
                                                 0x10000, 0x7fffffff, 0xffffffff, UINT64_MAX, std::uint64_t{1} << 63};
  const std::size_t size = std::size_t{1} << below(4);
  if (bytes.size() < size) return;
  const auto value = limits[below(limits.size())] + below(3) - 1;
  const bool big_endian = below(2) == 1;
  const auto at = below(bytes.size() - size + 1);
  for (std::size_t i = 0; i < size; ++i)
    bytes[at + (big_endian ? size - 1 - i : i)] = static_cast<char>(value >> (8 * i));
}

void mutator::insert(std::string& bytes, const std::string& what) { bytes.insert(below(bytes.size() + 1), what); }

std::string mutator::part_of(const std::string& bytes) {
  const auto from = below(bytes.size());
  return bytes.substr(from, 1 + below(bytes.size() - from));
}

} // namespace troupe::fuzz

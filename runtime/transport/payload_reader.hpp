// Reads CAF's binary format: integers in network order, lengths in groups of seven bits.
#pragma once

#include "raft/base/byte_reader.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net {

/// After the first failure, `ok()` stays false and all results are zero or empty.
class payload_reader : public raft::byte_reader {
 public:
  using byte_reader::byte_reader;
  using byte_reader::fail;
  /// The bytes would be gone before they are read.
  explicit payload_reader(std::string&&) = delete;

  template <std::unsigned_integral T> T get() {
    T value = 0;
    for (const char c : get_raw(sizeof(T))) value = static_cast<T>((value << 8) | static_cast<unsigned char>(c));
    return value;
  }
  /// At most 32 bits, in the shortest encoding.
  std::uint32_t get_length();
  std::string_view get_string() { return get_raw(get_length()); }
  void skip_strings();
};

} // namespace troupe::net

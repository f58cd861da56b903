// Reads CAF's binary format: integers in network order, lengths in groups of seven bits.
#pragma once

#include "raft/base/byte_reader.hpp"

#include <concepts>
#include <cstdint>
#include <string_view>

namespace troupe::net {

/// After the first failure, `ok()` stays false and all results are zero or empty.
class payload_reader : public raft::byte_reader {
 public:
  /// The type names of a message without elements, and what those of other messages begin with.
  static constexpr std::string_view no_types = "@<>";
  static constexpr std::string_view types_prefix = "@<>+";

  using byte_reader::byte_reader;

  template <std::unsigned_integral T> T get() {
    T value = 0;
    for (const char c : get_raw(sizeof(T))) value = static_cast<T>((value << 8) | static_cast<unsigned char>(c));
    return value;
  }
  /// At most 32 bits, in the shortest encoding.
  std::uint32_t get_length();
  std::string_view get_string() { return get_raw(get_length()); }
  /// Accepts only the kind of node id that CAF generates by itself.
  std::string_view get_node_id();
  /// The type names of a message, as CAF writes them before its elements.
  std::string_view get_types();
  void skip_strings();
  /// Accepts only an error whose context consists of strings. Returns `ok()`.
  bool skip_error();
};

} // namespace troupe::net

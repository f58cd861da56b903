// Portable little-endian encoding.
#pragma once

#include "raft/base/byte_reader.hpp"
#include "raft/base/types.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::raft {

/// Appends to a string.
class writer {
 public:
  explicit writer(std::string& out) : out_(out) {}

  template <std::unsigned_integral T> void put(T value) {
    char raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = static_cast<char>((value >> (8 * i)) & 0xff);
    out_.append(raw, sizeof(T));
  }
  void put_raw(std::string_view data) { out_.append(data); }
  /// A 32-bit length and the bytes. `data` must be shorter than 4 GiB.
  void put_string(std::string_view data) {
    put(static_cast<std::uint32_t>(data.size()));
    put_raw(data);
  }

 private:
  std::string& out_;
};

/// Reads the output of a `writer`. After the first failure, `ok()` stays false and all results are zero or empty.
class reader : public byte_reader {
 public:
  using byte_reader::byte_reader;

  template <std::unsigned_integral T> T get() {
    T value = 0;
    const auto raw = get_raw(sizeof(T));
    for (std::size_t i = 0; i < raw.size(); ++i)
      value = static_cast<T>(value | (static_cast<T>(static_cast<unsigned char>(raw[i])) << (8 * i)));
    return value;
  }
  std::string_view get_string() { return get_raw(get<std::uint32_t>()); }
};

} // namespace troupe::raft

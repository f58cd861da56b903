// Random msgpack: a plain tree, and canonical or other encodings of it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test {

using rng = std::mt19937;

inline std::uint64_t below(rng& random, std::uint64_t bound) { return random() % bound; }

struct node {
  struct bin {
    std::string data;
  };
  struct ext {
    std::int8_t type;
    std::string data;
  };
  using array = std::vector<node>;
  using object = std::map<std::string, node>;
  std::variant<std::nullptr_t, bool, std::uint64_t, std::int64_t, double, std::string, bin, ext, array, object> held;
};

inline std::string random_text(rng& random, std::size_t most) {
  static const std::vector<std::string> pieces{"a",  "b",    "Z",    "0", "\"", "\\", "/",
                                               "\n", "\x01", "\x7f", "é", "€",  "𝄞"};
  std::string out;
  for (auto n = below(random, most + 1); n > 0; --n) out += pieces[below(random, pieces.size())];
  return out;
}

inline std::string random_bytes(rng& random, std::size_t most) {
  std::string out(below(random, most + 1), '\0');
  for (auto& c : out) c = static_cast<char>(below(random, 256));
  return out;
}

/// Numbers near the limits of the encodings.
inline std::uint64_t random_integer(rng& random) {
  const auto bits = below(random, 65);
  const std::uint64_t border = bits == 64 ? 0 : std::uint64_t{1} << bits;
  return border + below(random, 3) - 1;
}

inline node random_node(rng& random, int depth) {
  switch (below(random, depth > 0 ? 10 : 8)) {
  case 0:
    return {nullptr};
  case 1:
    return {below(random, 2) == 0};
  case 2:
    return {random_integer(random)};
  case 3:
    return {-static_cast<std::int64_t>(random_integer(random) >> 1) - 1};
  case 4: {
    const double plain[] = {0.0, -0.0, 1.0, -1.5, 1e300, 5e-324, 0.1, 4294967296.0};
    return {below(random, 2) ? plain[below(random, 8)] : static_cast<double>(random()) / 7.0};
  }
  case 5:
    return {below(random, 4) ? random_text(random, 40) : random_bytes(random, 40)};
  case 6:
    return {node::bin{random_bytes(random, below(random, 30) ? 20 : 300)}};
  case 7:
    return {node::ext{static_cast<std::int8_t>(below(random, 256)), random_bytes(random, 20)}};
  case 8: {
    node::array items;
    for (auto n = below(random, 5); n > 0; --n) items.push_back(random_node(random, depth - 1));
    return {items};
  }
  default: {
    node::object members;
    for (auto n = below(random, below(random, 20) ? 6 : 40); n > 0; --n)
      members[random_text(random, 6)] = random_node(random, depth - 1);
    return {members};
  }
  }
}

/// A simple encoder. With a random generator it uses any encoding that the format allows, and any order of keys.
class encoder {
 public:
  explicit encoder(rng* loose = nullptr) : loose_(loose) {}

  std::string operator()(const node& n) {
    return std::visit([this](const auto& v) { return write(v); }, n.held);
  }

 private:
  static std::string big_endian(std::uint64_t v, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((v >> (8 * i)) & 0xff);
    return out;
  }
  /// Selects one of several forms of increasing length: the first that fits, or with a generator any later one.
  int pick(int first, int last) {
    return loose_ ? first + static_cast<int>(below(*loose_, static_cast<unsigned>(last - first + 1))) : first;
  }
  static std::string head(int code) { return std::string(1, static_cast<char>(code)); }
  static int width(std::uint64_t v) { return v < 256 ? 0 : v < 65536 ? 1 : v <= 0xffffffff ? 2 : 3; }

  std::string write(std::nullptr_t) { return head(0xc0); }
  std::string write(bool v) { return head(v ? 0xc3 : 0xc2); }
  std::string write(std::uint64_t v) {
    const int form = pick(v < 128 ? -1 : width(v), 3);
    if (form < 0) return head(static_cast<int>(v));
    const bool fits_signed = v < (std::uint64_t{1} << (8 * (1 << form) - 1));
    if (loose_ && fits_signed && below(*loose_, 2)) return head(0xd0 + form) + big_endian(v, 1 << form);
    return head(0xcc + form) + big_endian(v, 1 << form);
  }
  std::string write(std::int64_t v) {
    const int form = pick(v >= -32 ? -1 : v >= INT8_MIN ? 0 : v >= INT16_MIN ? 1 : v >= INT32_MIN ? 2 : 3, 3);
    if (form < 0) return head(static_cast<int>(v) & 0xff);
    return head(0xd0 + form) + big_endian(static_cast<std::uint64_t>(v), 1 << form);
  }
  std::string write(double v) {
    const auto narrow = static_cast<float>(v);
    if (loose_ && static_cast<double>(narrow) == v && below(*loose_, 2))
      return head(0xca) + big_endian(std::bit_cast<std::uint32_t>(narrow), 4);
    return head(0xcb) + big_endian(std::bit_cast<std::uint64_t>(v), 8);
  }
  std::string write(const std::string& v) {
    const int form = pick(v.size() < 32 ? -1 : width(v.size()), 2);
    if (form < 0) return head(0xa0 + static_cast<int>(v.size())) + v;
    return head(0xd9 + form) + big_endian(v.size(), 1 << form) + v;
  }
  std::string write(const node::bin& v) {
    const int form = pick(width(v.data.size()), 2);
    return head(0xc4 + form) + big_endian(v.data.size(), 1 << form) + v.data;
  }
  std::string write(const node::ext& v) {
    const auto size = v.data.size();
    const bool fixed = size == 1 || size == 2 || size == 4 || size == 8 || size == 16;
    const int form = pick(fixed ? -1 : width(size), 2);
    const auto type = head(v.type & 0xff);
    if (form >= 0) return head(0xc7 + form) + big_endian(size, 1 << form) + type + v.data;
    const int code = size == 1 ? 0xd4 : size == 2 ? 0xd5 : size == 4 ? 0xd6 : size == 8 ? 0xd7 : 0xd8;
    return head(code) + type + v.data;
  }
  std::string container(std::size_t size, int fixed, int wide) {
    const int form = pick(size < 16 ? -1 : size < 65536 ? 0 : 1, 1);
    if (form < 0) return head(fixed + static_cast<int>(size));
    return head(wide + form) + big_endian(size, 2 << form);
  }
  std::string write(const node::array& v) {
    auto out = container(v.size(), 0x90, 0xdc);
    for (const auto& item : v) out += (*this)(item);
    return out;
  }
  std::string write(const node::object& v) {
    std::vector<std::pair<std::string, std::string>> entries; // canonical key for the order, then the bytes to write
    for (const auto& [key, member] : v) entries.emplace_back(encoder{}.write(key), write(key) + (*this)(member));
    std::sort(entries.begin(), entries.end());
    if (loose_) std::shuffle(entries.begin(), entries.end(), *loose_);
    auto out = container(v.size(), 0x80, 0xde);
    for (const auto& [key, entry] : entries) out += entry;
    return out;
  }

  rng* loose_;
};

} // namespace troupe::test

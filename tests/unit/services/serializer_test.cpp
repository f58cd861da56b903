#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <msgpack/adaptor/boost/msgpack_variant.hpp>
#include <optional>
#include <troupe/msgpack_serializer.hpp>
#include <troupe/serializer.hpp>
#include <troupe/value.hpp>
#include <vector>

using namespace troupe;
using namespace troupe::test;

namespace {

struct inner {
  std::int32_t number = 0;
  double real = 0;
  float narrow = 0;
  bool operator==(const inner&) const = default;
  TROUPE_FIELDS(number, real, narrow)
};

struct outer {
  std::string text;
  std::vector<inner> list;
  std::map<std::string, std::uint64_t> table;
  std::optional<inner> maybe;
  std::optional<value> shown;
  value held;
  bool flag = false;
  bool operator==(const outer&) const = default;
  TROUPE_FIELDS(text, list, table, maybe, shown, held, flag)
};

struct nothing {
  bool operator==(const nothing&) const = default;
  TROUPE_FIELDS()
};

/// A recursive type, so that only the depth check limits the use of the stack.
struct chain {
  std::vector<chain> next;
  TROUPE_FIELDS(next)
};

static_assert(troupe::serializer<msgpack_serializer, outer>);
static_assert(troupe::serializer<msgpack_serializer, nothing>);

inner random_inner(rng& random) {
  return {static_cast<std::int32_t>(random_integer(random)), static_cast<double>(random()) / 3.0,
          static_cast<float>(random())};
}

outer random_outer(rng& random) {
  outer out;
  out.text = random_bytes(random, 300);
  for (auto n = below(random, 4); n > 0; --n) out.list.push_back(random_inner(random));
  for (auto n = below(random, 4); n > 0; --n) out.table[random_text(random, 4)] = random_integer(random);
  if (below(random, 2)) out.maybe = random_inner(random);
  if (below(random, 2)) out.shown = *value::from_msgpack(encoder{}(random_node(random, 2)));
  out.held = *value::from_msgpack(encoder{}(random_node(random, 3)));
  out.flag = below(random, 2) == 0;
  return out;
}

template <class T> bool decodes(std::string_view bytes) {
  T target;
  return msgpack_serializer::decode(bytes, target);
}

} // namespace

TEST_CASE("decoding returns what was encoded and rejects anything shorter or longer") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto original = random_outer(random);
    const auto bytes = msgpack_serializer::encode(original);
    outer back;
    REQUIRE(msgpack_serializer::decode(bytes, back));
    REQUIRE(back == original);
    REQUIRE(msgpack_serializer::encode(back) == bytes);
    REQUIRE_FALSE(decodes<outer>(bytes + '\xc0'));
    REQUIRE_FALSE(decodes<outer>(std::string_view(bytes).substr(0, below(random, bytes.size()))));
  }
}

TEST_CASE("random and mutated bytes never crash the decoder") {
  unsigned accepted = 0;
  for (unsigned seed = 1; seed <= 20000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    auto bytes = seed % 2 ? random_bytes(random, 60) : msgpack_serializer::encode(random_outer(random));
    if (seed % 2 == 0)
      for (auto n = 1 + below(random, 3); n > 0; --n)
        bytes[below(random, bytes.size())] = static_cast<char>(below(random, 256));
    outer target;
    if (!msgpack_serializer::decode(bytes, target)) continue;
    ++accepted;
    outer again;
    REQUIRE(msgpack_serializer::decode(msgpack_serializer::encode(target), again));
  }
  CHECK(accepted > 100); // otherwise the mutations test nothing after the first byte
}

TEST_CASE("the list of fields must match in length and types") {
  CHECK(decodes<inner>("\x93\x01\xcb" + std::string(8, '\0') + "\xca" + std::string(4, '\0')));
  CHECK_FALSE(decodes<inner>("\x92\x01\x02"));
  CHECK_FALSE(decodes<inner>("\x94\x01\x02\x03\x04"));
  CHECK_FALSE(decodes<inner>("\x93\xa1x\x02\x03"));
  CHECK_FALSE(decodes<inner>("\xc0"));
  CHECK_FALSE(decodes<inner>("\x93\xce\xff\xff\xff\xff\x02\x03")); // beyond int32
  CHECK(decodes<nothing>("\x90"));
  CHECK_FALSE(decodes<nothing>("\x91\x01"));
  CHECK_FALSE(decodes<nothing>(""));
}

TEST_CASE("rejects headers that announce more than there is before it allocates memory") {
  CHECK_FALSE(decodes<std::vector<int>>("\xdd\xff\xff\xff\xff\x01"));
  CHECK_FALSE(decodes<std::vector<int>>("\xdf\x7f\xff\xff\xff\x01\x01"));
  CHECK_FALSE(decodes<std::string>("\xdb\xff\xff\xff\xff_"));
  // Each level announces no more than the size of the whole input; together they would take gigabytes.
  std::string levels;
  for (int i = 0; i < 60; ++i) levels += std::string("\xdd\x00\x0f\x00\x00", 5);
  levels.append(1 << 20, '\0');
  CHECK_FALSE(decodes<msgpack::type::variant>(levels));
}

TEST_CASE("messages nest 64 deep and not 65") {
  const auto nested = [](std::size_t depth) { return std::string(depth - 1, '\x91') + '\x90'; };
  // A chain is a list of one field, which is a list of chains: an even depth ends in an empty list.
  CHECK(decodes<chain>(nested(64)));
  CHECK_FALSE(decodes<chain>(nested(66)));
  CHECK_FALSE(decodes<chain>(nested(65)));
  CHECK_FALSE(decodes<chain>(nested(1'000'000)));
}

TEST_CASE("a float stays a float") {
  CHECK(msgpack_serializer::encode(1.0) == std::string("\xcb\x3f\xf0\0\0\0\0\0\0", 9));
  CHECK(msgpack_serializer::encode(1.0f) == std::string("\xca\x3f\x80\0\0", 5));
  CHECK(msgpack_serializer::encode(18446744073709551616.0).size() == 9);
  double zero = 1;
  REQUIRE(msgpack_serializer::decode(msgpack_serializer::encode(-0.0), zero));
  CHECK(std::signbit(zero));
}

TEST_CASE("a value in a message becomes canonical, or the message is rejected") {
  value held;
  REQUIRE(msgpack_serializer::decode(std::string("\xc4\x02\xcc\x01", 4), held));
  CHECK(held == value::of(1));
  CHECK_FALSE(decodes<value>(std::string("\xc4\x03\x81\x01\x01", 5)));
  CHECK_FALSE(decodes<value>(std::string("\xc4\x00", 2)));
  CHECK_FALSE(decodes<value>("\x01"));
}

#include <troupe/value.hpp>

#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <map>

using namespace troupe;
using namespace troupe::test;

namespace {

std::string raw(std::initializer_list<int> bytes) {
  std::string out;
  for (const int b : bytes) out += static_cast<char>(b);
  return out;
}

std::string why_not(std::string_view encoded) {
  std::string why = "accepted";
  static_cast<void>(value::from_msgpack(encoded, &why));
  return why;
}

} // namespace

TEST_CASE("every encoding of a value becomes the one canonical encoding") {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto tree = random_node(random, 4);
    const auto canonical = encoder{}(tree);
    const auto plain = value::from_msgpack(canonical);
    REQUIRE(plain);
    REQUIRE(plain->encoded() == canonical);
    REQUIRE(plain->size() == canonical.size());
    for (int i = 0; i < 3; ++i) {
      const auto loose = value::from_msgpack(encoder{&random}(tree));
      REQUIRE(loose);
      REQUIRE(*loose == *plain);
    }
  }
}

TEST_CASE("different values stay different") {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const auto a = random_node(random, 2), b = random_node(random, 2);
    const bool same = encoder{}(a) == encoder{}(b);
    REQUIRE((*value::from_msgpack(encoder{&random}(a)) == *value::from_msgpack(encoder{&random}(b))) == same);
  }
  CHECK(value::of(1) != value::of(1.0));
  CHECK(value::of(0.0) != value::of(-0.0));
  CHECK(value::of("1") != value::of(1));
}

TEST_CASE("rejects bytes that are not exactly one value, and never crashes") {
  CHECK(why_not("") == "it is not exactly one msgpack value");
  CHECK(why_not(raw({0x01, 0x02})) == "it is not exactly one msgpack value");
  CHECK(why_not(raw({0xc1})) == "it is not exactly one msgpack value");
  CHECK(why_not(raw({0xdd, 0xff, 0xff, 0xff, 0xff})) == "it is not exactly one msgpack value");
  CHECK(why_not(raw({0xdf, 0xff, 0xff, 0xff, 0xff, 0xa0})) == "it is not exactly one msgpack value");
  CHECK(why_not(raw({0xc9, 0xff, 0xff, 0xff, 0xff, 0x01})) == "it is not exactly one msgpack value");
  for (unsigned seed = 1; seed <= 20000; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    auto bytes = seed % 2 ? random_bytes(random, 40) : encoder{&random}(random_node(random, 3));
    if (seed % 2 == 0) {
      for (auto n = below(random, 3); n > 0; --n)
        bytes[below(random, bytes.size())] = static_cast<char>(below(random, 256));
      if (below(random, 3) == 0) bytes.resize(below(random, bytes.size()));
    }
    if (const auto made = value::from_msgpack(bytes)) {
      // An accepted value is canonical: it decodes to itself.
      const auto again = value::from_msgpack(made->encoded());
      REQUIRE(again);
      REQUIRE(*again == *made);
    }
  }
}

TEST_CASE("each violated rule of a value is reported with its reason") {
  CHECK(why_not(raw({0x81, 0x01, 0x01})) == "an object key is not a string");
  CHECK(why_not(raw({0x81, 0xc0, 0x01})) == "an object key is not a string");
  CHECK(why_not(raw({0x81, 0x91, 0xa1, 'a', 0x01})) == "an object key is not a string");
  CHECK(why_not(raw({0x81, 0xc4, 0x01, 'a', 0x01})) == "an object key is not a string");
  CHECK(why_not(raw({0x81, 0xa1, 0xff, 0x01})) == "an object key is not valid UTF-8");
  CHECK(why_not(raw({0x82, 0xa1, 'a', 1, 0xa1, 'a', 2})) == "an object has the same key twice");
  CHECK(why_not(raw({0x83, 0xa1, 'a', 1, 0xa1, 'b', 1, 0xd9, 1, 'a', 2})) == "an object has the same key twice");
  CHECK(why_not(raw({0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0})) == "a number is not finite");
  CHECK(why_not(raw({0xca, 0x7f, 0xc0, 0, 0})) == "a number is not finite");
  CHECK(why_not(raw({0x91, 0xcb, 0xff, 0xf8, 0, 0, 0, 0, 0, 1})) == "a number is not finite");
  CHECK(why_not(raw({0xa1, 0xff})) == "accepted");
}

TEST_CASE("a value nests 64 deep and not 65") {
  const auto arrays = [](std::size_t depth) { return std::string(depth - 1, '\x91') + '\x90'; };
  const auto objects = [](std::size_t depth) {
    std::string out;
    for (std::size_t i = 1; i < depth; ++i) out += "\x81\xa1k";
    return out + '\x80';
  };
  CHECK(why_not(arrays(64)) == "accepted");
  CHECK(why_not(objects(64)) == "accepted");
  CHECK(why_not(arrays(65)) == "it is nested deeper than 64");
  CHECK(why_not(objects(65)) == "it is nested deeper than 64");
  CHECK(why_not(arrays(1'000'000)) == "it is nested deeper than 64");
  CHECK(why_not(objects(1'000'000)) == "it is nested deeper than 64");
}

TEST_CASE("plain C++ objects convert to values and back") {
  CHECK(value{}.is_nil());
  CHECK(value::of(true).as<bool>() == true);
  CHECK(value::of(-5).as<int>() == -5);
  CHECK(value::of(std::numeric_limits<std::uint64_t>::max()).as<std::uint64_t>() ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(value::of(1.0).as<double>() == 1.0);
  CHECK(value::of(0.5f) == value::of(0.5));
  CHECK(value::of("text").as<std::string>() == "text");
  CHECK(value::of(std::string("text")) == value::of("text"));
  CHECK(value::of(std::vector<int>{1, 2}).as<std::vector<int>>() == std::vector<int>{1, 2});
  const std::map<std::string, int> members{{"long", 1}, {"b", 2}};
  CHECK(value::of(members).as<std::map<std::string, int>>() == members);
  CHECK(value::of(std::vector<char>{'a'}).encoded() == raw({0xc4, 1, 'a'}));
  CHECK_FALSE(value::of(300).as<std::uint8_t>());
  CHECK_FALSE(value::of("text").as<int>());
  CHECK_FALSE(value{}.as<int>());
  CHECK_THROWS_AS(value::of(std::numeric_limits<double>::infinity()), std::invalid_argument);
  CHECK_THROWS_AS(value::of(std::map<int, int>{{1, 2}}), std::invalid_argument);
}

// The codec and the encoding of configurations: round trips, truncated and damaged data.
#include "raft/base/codec.hpp"

#include "raft/base/random.hpp"
#include "raft/entry.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

configuration random_configuration(prng& random) {
  const auto members = [&] {
    std::vector<member> list;
    for (auto n = random.next() % 4; n > 0; --n)
      list.push_back({node_id{random.next()}, std::string(random.next() % 20, static_cast<char>(random.next() % 256))});
    return list;
  };
  configuration c{members(), members(), members(), {}};
  for (auto n = random.next() % 3; n > 0; --n)
    c.promotions.push_back({node_id{random.next()}, node_id{random.next()}, random.next() % 2 == 0,
                            random.next() % 2 == 0, random.next() % 4 == 0});
  for (auto n = random.next() % 3; n > 0; --n) c.dismissed.push_back({node_id{random.next()}, random.next() % 3});
  c.forgotten = random.next() % 2;
  return c;
}

} // namespace

TEST_CASE("integers and strings decode as they were encoded") {
  std::string text;
  writer out{text};
  out.put(std::uint8_t{0xab});
  out.put(std::uint16_t{0x1234});
  out.put(std::uint32_t{0xdeadbeef});
  out.put(std::uint64_t{0x0123456789abcdef});
  out.put_string(std::string_view{"a\0b", 3});
  // The bytes are part of disk and wire formats.
  CHECK(text.substr(0, 7) == "\xab\x34\x12\xef\xbe\xad\xde");
  reader in{text};
  CHECK(in.get<std::uint8_t>() == 0xab);
  CHECK(in.get<std::uint16_t>() == 0x1234);
  CHECK(in.get<std::uint32_t>() == 0xdeadbeef);
  CHECK(in.get<std::uint64_t>() == 0x0123456789abcdef);
  CHECK(in.get_string() == std::string_view{"a\0b", 3});
  CHECK(in.done());
}

TEST_CASE("a reader never runs past the end, and stays failed") {
  std::string text;
  writer out{text};
  out.put(std::uint64_t{1});
  out.put_string("hello");
  for (std::size_t size = 0; size < text.size(); ++size) {
    reader in{std::string_view{text}.substr(0, size)};
    in.get<std::uint64_t>();
    in.get_string();
    CHECK_FALSE(in.ok());
    CHECK(in.get<std::uint8_t>() == 0);
    CHECK_FALSE(in.done());
  }
}

TEST_CASE("bytes that are not there end a reader, also for bytes that are") {
  byte_reader in{"abc"};
  CHECK(in.get_raw(2) == "ab");
  CHECK(in.left() == 1);
  CHECK_FALSE(in.done());
  CHECK(in.get_raw(2).empty());
  CHECK_FALSE(in.ok());
  CHECK(in.get_raw(1).empty());
  CHECK(in.get_raw(0).empty());
  CHECK_FALSE(in.done());
  byte_reader whole{"abc"};
  CHECK(whole.get_raw(3) == "abc");
  CHECK(whole.done());
  CHECK(whole.get_raw(0).empty());
  CHECK(whole.done());
  CHECK(whole.get_raw(static_cast<std::size_t>(-1)).empty());
  CHECK_FALSE(whole.done());
}

TEST_CASE("a configuration decodes as it was encoded") {
  prng random{5};
  for (int round = 0; round < 500; ++round) {
    const auto value = random_configuration(random);
    const auto text = encode(value);
    REQUIRE(decode_configuration(text) == value);
    for (std::size_t size = 0; size < text.size(); ++size) REQUIRE_FALSE(decode_configuration(text.substr(0, size)));
    REQUIRE_FALSE(decode_configuration(text + 'x'));
  }
}

TEST_CASE("damaged configurations do not decode, or decode to a value with the same encoding") {
  prng random{6};
  for (int round = 0; round < 20000; ++round) {
    auto text = encode(random_configuration(random));
    for (auto hits = 1 + random.next() % 4; hits > 0; --hits)
      text[random.next() % text.size()] = static_cast<char>(random.next() % 256);
    if (const auto value = decode_configuration(text)) REQUIRE(encode(*value) == text);
  }
}

TEST_CASE("a configuration lists every member once") {
  const configuration c{{{node_id{1}, {}}, {node_id{2}, {}}}, {{node_id{2}, {}}, {node_id{3}, {}}}, {{node_id{4}, {}}}};
  CHECK(c.members().size() == 4);
  CHECK(c.is_voter(node_id{3}));
  CHECK_FALSE(c.is_voter(node_id{4}));
  CHECK(c.is_member(node_id{4}));
  CHECK_FALSE(c.is_member(node_id{5}));
}

TEST_CASE("a configuration has exactly one encoding, with or without promotions and dismissals") {
  auto c = test::voters(2);
  const auto plain = encode(c);
  CHECK(plain[0] == 1); // the format of logs from before there were promotions
  c.dismissed = {{node_id{9}}};
  CHECK(encode(c)[0] == 3);
  CHECK(decode_configuration(encode(c)) == c);
  c.dismissed.clear();
  c.promotions = {{node_id{3}, node_id{1}}};
  const auto promoting = encode(c);
  CHECK(promoting[0] == 2);
  // The newer format without promotions.
  auto doubled = plain + std::string(4, '\0');
  doubled[0] = 2;
  CHECK_FALSE(decode_configuration(doubled));
  doubled = plain + std::string(8, '\0');
  doubled[0] = 3;
  CHECK_FALSE(decode_configuration(doubled));
  c.promotions[0].asked = true;
  auto asked = encode(c);
  CHECK(asked[0] == 3);
  const auto flags = asked.size() - 5; // before the number of dismissed nodes
  CHECK(asked[flags] == 1);
  for (const char other : {'\0', '\4'}) { // format 2 is the lowest that fits; a flag that format 3 lacks
    asked[flags] = other;
    CHECK_FALSE(decode_configuration(asked));
  }
  c.promotions[0] = {node_id{3}, node_id{1}, false, false, true};
  auto wanted = encode(c);
  CHECK(wanted[0] == 4);
  CHECK(wanted[flags] == 4);
  CHECK(decode_configuration(wanted) == c);
  wanted[flags] = 1; // format 3 is the lowest that fits
  CHECK_FALSE(decode_configuration(wanted));
}

} // namespace troupe::raft

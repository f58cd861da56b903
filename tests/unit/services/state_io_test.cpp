#include "tests/unit/services/random_value.hpp"
#include "tests/unit/services/snapshot_bytes.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <troupe/state_io.hpp>
#include <troupe/value.hpp>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using Catch::Contains;

namespace {

template <class... Ts> std::string written(const Ts&... items) {
  bytes_sink to;
  state_writer writer(to);
  (writer.put(items), ...);
  writer.finish();
  return to.bytes;
}

template <class T> T first_item(const std::string& bytes) {
  bytes_source from(bytes);
  return state_reader(from).get<T>();
}

std::string announced(std::uint32_t size) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>((size >> (8 * i)) & 0xff);
  return out;
}

} // namespace

TEST_CASE("items are read in the order and with the values in which they were put") {
  const std::map<std::string, std::vector<int>> nested{{"a", {1, 2}}, {"", {}}};
  const auto bytes = written(1, std::string("\0text", 5), -0.0, nested, value::of(7), std::optional<int>{}, UINT64_MAX);
  for (const std::size_t most : {1ul, 3ul, 1000ul}) {
    bytes_source from(bytes, most);
    state_reader reader(from);
    CHECK(reader.get<int>() == 1);
    CHECK(reader.get<std::string>() == std::string("\0text", 5));
    CHECK(std::signbit(reader.get<double>()));
    CHECK(reader.get<std::map<std::string, std::vector<int>>>() == nested);
    CHECK(reader.get<value>() == value::of(7));
    CHECK(reader.get<std::optional<int>>() == std::nullopt);
    CHECK_THROWS_WITH([&] { reader.finish(); }(), Contains("more than the service reads"));
    CHECK(reader.get<std::uint64_t>() == UINT64_MAX);
    CHECK_NOTHROW(reader.finish());
    CHECK_THROWS_WITH(reader.get<int>(), Contains("ends where an item should begin"));
  }
}

TEST_CASE("an item's bytes are its size, little-endian, and its MessagePack") {
  CHECK(written(5, std::string("ab")) == announced(1) + "\x05" + announced(3) +
                                             "\xa2"
                                             "ab");
}

TEST_CASE("a large state is written and read in pieces") {
  rng random(1);
  std::vector<std::string> items;
  bytes_sink to;
  state_writer writer(to);
  for (int i = 0; i < 3000; ++i) {
    items.push_back(random_bytes(random, below(random, 100) ? 200 : 200'000));
    writer.put(items.back());
  }
  CHECK_FALSE(to.bytes.empty());
  writer.finish();
  bytes_source from(to.bytes, 10'000);
  state_reader reader(from);
  for (const auto& item : items) REQUIRE(reader.get<std::string>() == item);
  reader.finish();
}

TEST_CASE("rejects items that were not put like this") {
  CHECK_THROWS_AS(first_item<int>(written("text")), snapshot_error);
  CHECK_THROWS_WITH(first_item<int>(written("text")), Contains("at byte 0") && Contains("not of the type"));
  CHECK_THROWS_AS(first_item<std::uint8_t>(written(256)), snapshot_error);
  CHECK_THROWS_AS(first_item<unsigned>(written(-1)), snapshot_error);
  CHECK_THROWS_AS(first_item<std::string>(announced(0)), snapshot_error);
  CHECK_THROWS_AS(first_item<int>(announced(2) + "\x05\x05"), snapshot_error);
  const auto two = written(1, 2);
  bytes_source from(two);
  state_reader reader(from);
  reader.get<int>();
  CHECK_THROWS_WITH(reader.get<std::string>(), Contains("at byte 5"));
}

TEST_CASE("an announced size uses no memory before its bytes arrive") {
  for (const std::uint32_t size : {6u, 1'000'000u, static_cast<std::uint32_t>(max_state_item)}) {
    bytes_source from(announced(size) + "\xa4text");
    state_reader reader(from);
    CHECK_THROWS_WITH(reader.get<std::string>(), Contains("ends within an item"));
    CHECK(from.largest() <= 64 * 1024);
  }
  CHECK_THROWS_WITH(first_item<int>(announced(max_state_item + 1)), Contains("announced with"));
  CHECK_THROWS_WITH(first_item<int>(announced(UINT32_MAX)), Contains("announced with"));
  CHECK_THROWS_WITH(first_item<int>("\x01"), Contains("ends where"));
  // A container that announces more elements than follow.
  CHECK_THROWS_AS(first_item<std::vector<int>>(announced(5) + "\xdd\x7f\xff\xff\xff"), snapshot_error);
}

TEST_CASE("rejects an item over 64 MiB when it is put") {
  bytes_sink to;
  state_writer writer(to);
  writer.put(std::string(max_state_item - 5, 'x'));
  CHECK_THROWS_WITH(writer.put(std::string(max_state_item - 4, 'x')), Contains("one by one"));
}

TEST_CASE("rejects a format number that this version does not support") {
  const auto format = [](const std::string& bytes, unsigned newest) {
    bytes_source from(bytes);
    return state_reader(from).get_format(newest);
  };
  CHECK(format(written(1), 1) == 1);
  CHECK(format(written(2), 3) == 2);
  CHECK_THROWS_WITH(format(written(0), 1), Contains("format 0"));
  CHECK_THROWS_WITH(format(written(4), 3), Contains("format 4") && Contains("knows 1 to 3"));
  CHECK_THROWS_AS(format(written("1"), 3), snapshot_error);
}

TEST_CASE("random damage is either rejected or read as something else") {
  const auto whole = written(1, std::string("some text"), std::vector<std::string>{"a", "b"}, 2.5);
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    rng random(seed);
    auto bytes = whole.substr(0, below(random, 2) ? whole.size() : below(random, whole.size()));
    for (auto n = below(random, 4); n > 0 && !bytes.empty(); --n)
      bytes[below(random, bytes.size())] = static_cast<char>(below(random, 256));
    bytes_source from(bytes, 1 + below(random, 9));
    state_reader reader(from);
    try {
      reader.get_format(1);
      reader.get<std::string>();
      reader.get<std::vector<std::string>>();
      reader.get<double>();
      reader.finish();
      REQUIRE(bytes.size() == whole.size());
    } catch (const snapshot_error&) {
      REQUIRE(bytes != whole);
    }
  }
}

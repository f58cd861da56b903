#include <troupe/cow_map.hpp>

#include "tests/unit/services/random_value.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;
using namespace troupe::detail;
using namespace troupe::test;

namespace {

using tested = cow_map<std::string, int>;
using oracle = std::map<std::string, int, std::less<>>;

/// Mostly short keys, and some that are long enough for the heap; adjacent and distant ones.
std::string random_key(rng& random, unsigned range) {
  auto digits = std::to_string(below(random, range));
  return below(random, 2) ? digits : std::string(below(random, 3), 'k') + std::string(20, 'x') + digits;
}

void require_same(const tested& map, const oracle& expected) {
  REQUIRE(map.size() == expected.size());
  REQUIRE(map.empty() == expected.empty());
  auto at = map.begin();
  for (const auto& entry : expected) {
    REQUIRE(at != map.end());
    REQUIRE(*at == entry);
    ++at;
  }
  REQUIRE(at == map.end());
}

void require_same_at(const tested& map, const oracle& expected, std::string_view key) {
  const auto check = [&](auto found, auto sought) {
    REQUIRE((found == map.end()) == (sought == expected.end()));
    if (sought != expected.end()) REQUIRE(*found == *sought);
  };
  check(map.lower_bound(key), expected.lower_bound(key));
  check(map.upper_bound(key), expected.upper_bound(key));
  const auto* held = map.find(key);
  const auto sought = expected.find(key);
  REQUIRE((held != nullptr) == (sought != expected.end()));
  if (held) REQUIRE(*held == sought->second);
}

/// Makes the same random change to both.
void change(rng& random, tested& map, oracle& expected, unsigned range, unsigned erasing) {
  const auto key = random_key(random, range);
  const auto value = static_cast<int>(below(random, 1000));
  if (below(random, 10) < erasing)
    REQUIRE(map.erase(std::string_view(key)) == (expected.erase(key) == 1));
  else if (below(random, 4) == 0)
    REQUIRE((map[key] += value) == (expected[key] += value));
  else {
    std::optional<int> replaced;
    const auto before = expected.find(key);
    const auto there = before == expected.end() ? std::nullopt : std::optional{before->second};
    const auto is_new = map.insert_or_assign(std::string{key}, int{value}, [&](int held) { replaced = held; });
    REQUIRE(replaced == there);
    REQUIRE(is_new == expected.insert_or_assign(key, value).second);
  }
}

/// A value that counts its instances.
struct counted {
  counted() { ++alive; }
  counted(const counted&) { ++alive; }
  counted& operator=(const counted&) = default;
  ~counted() { --alive; }
  static inline int alive = 0;
};

} // namespace

TEST_CASE("a cow_map behaves like std::map, and its copies do not change") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    const unsigned range = 1u << (2 + below(random, 11));
    tested map;
    oracle expected;
    std::vector<std::pair<tested, oracle>> copies;
    for (int phase = 0; phase < 12; ++phase) {
      const auto erasing = static_cast<unsigned>(below(random, 10)); // erasures out of ten changes
      for (auto n = below(random, 2 * range); n > 0; --n) {
        change(random, map, expected, range, erasing);
        if (below(random, 8) == 0) require_same_at(map, expected, random_key(random, range));
      }
      require_same(map, expected);
      if (below(random, 2)) copies.emplace_back(map, expected);
      if (copies.size() > 3) copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(below(random, copies.size())));
      // A copy is a full map that can be changed.
      if (!copies.empty() && below(random, 2)) {
        auto& [copy, of] = copies[below(random, copies.size())];
        for (auto n = below(random, range); n > 0; --n) change(random, copy, of, range, 5);
      }
      if (!copies.empty() && below(random, 4) == 0) std::tie(map, expected) = copies[below(random, copies.size())];
      for (const auto& [copy, of] : copies) require_same(copy, of);
    }
  }
}

TEST_CASE("a cow_map is built from sorted input") {
  for (const unsigned size : {0u, 1u, 63u, 64u, 65u, 4096u, 5000u}) {
    tested map;
    oracle expected;
    for (unsigned i = 0; i < size; ++i) {
      auto key = std::to_string(100'000 + i);
      REQUIRE(map.append(key, static_cast<int>(i)));
      expected[key] = static_cast<int>(i);
    }
    require_same(map, expected);
    if (size == 0) continue;
    const auto copy = map;
    CHECK_FALSE(map.append(std::to_string(100'000 + size - 1), 0)); // equal to the last
    CHECK_FALSE(map.append("", 0));
    require_same(map, expected);
    rng random(size);
    for (int i = 0; i < 3000; ++i) change(random, map, expected, size, 6);
    require_same(map, expected);
    CHECK(copy.size() == size);
  }
}

TEST_CASE("a moved-from cow_map is empty, and self-assignment changes nothing") {
  tested map;
  for (int i = 0; i < 200; ++i) map.insert_or_assign(std::to_string(i), i);
  const auto& same = map;
  map = same;
  CHECK(map.size() == 200);
  auto moved = std::move(map);
  CHECK(moved.size() == 200);
  CHECK(map.empty()); // NOLINT(bugprone-use-after-move): this guarantee is tested
  CHECK(map.begin() == map.end());
  map.insert_or_assign("again", 1);
  CHECK(map.size() == 1);
  CHECK(moved.find("again") == nullptr);
}

TEST_CASE("a cow_map releases erased values, and copies share common nodes") {
  REQUIRE(counted::alive == 0);
  {
    cow_map<std::string, counted> map;
    for (int i = 0; i < 10'000; ++i) map[std::to_string(i)];
    CHECK(counted::alive == 10'000);
    auto copy = map;
    CHECK(counted::alive == 10'000);
    map["5000"];
    copy.insert_or_assign("6000", {});
    CHECK(counted::alive == 10'002);
    for (int i = 0; i < 10'000; ++i) map.erase(std::to_string(i));
    CHECK(map.empty());
    CHECK(counted::alive == 10'000);
    copy = {};
    CHECK(counted::alive == 0);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("nodes are merged: after many erasures few nodes are left") {
  using node = detail::cow_node<int, int, std::less<>>;
  constexpr int size = 64 * 64;
  node root, leaf;
  for (int i = 0; i < size; ++i) leaf.entries.push_back(cow_ptr<node::entry>::make(i, 0));
  root.children.push_back(cow_ptr<node>::make(std::move(leaf)));
  for (std::size_t i = 0; i < root.children.size();) {
    if (root.children[i]->parts() <= node::most)
      ++i;
    else
      root.split(i, 0);
  }
  REQUIRE(root.children.size() == 64);
  // Random keys: without merging, nearly every leaf would keep some.
  std::vector<int> keys(size);
  std::iota(keys.begin(), keys.end(), 0);
  rng random(1);
  std::shuffle(keys.begin(), keys.end(), random);
  for (; keys.size() > 200; keys.pop_back()) root.remove(keys.back());
  std::size_t left = 0;
  for (const auto& child : root.children) left += child->parts();
  CHECK(left == 200);
  CHECK(root.children.size() <= 1 + 200 * 4 / node::most);
  CHECK(root.keys.size() + 1 == root.children.size());
}

TEST_CASE("a cow_map orders by the given comparison") {
  cow_map<int, char, std::greater<>> map;
  for (int i = 0; i < 1000; ++i) map.insert_or_assign(i * 7 % 1000, 'x');
  int expected = 1000;
  for (const auto& [key, value] : map) REQUIRE(key == --expected);
  CHECK(map.lower_bound(500)->first == 500);
  CHECK(map.upper_bound(500)->first == 499);
}

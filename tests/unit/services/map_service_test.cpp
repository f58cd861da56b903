#include "tests/unit/services/call.hpp"
#include "tests/unit/services/random_value.hpp"
#include "tests/unit/services/service_set.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <troupe/services/map_service.hpp>

using namespace troupe;
using namespace troupe::test;

static_assert(state_machine<map_service>);

namespace {

/// A service that is called with encoded messages, as in a cluster.
class running {
 public:
  running() { services_.add(detail::make_machine(map_service{})); }

  template <class C> typename C::result apply(const C& command, index_t index) {
    return result<C>(services_.apply(test::encode_call<map_service>(command), {index}));
  }
  template <class Q> typename Q::result query(const Q& question) const {
    return result<Q>(services_.query(test::encode_call<map_service>(question)));
  }

 private:
  template <class M> static typename M::result result(const detail::reply& answer) {
    if (answer.status != detail::reply_status::ok) throw refused(answer.payload);
    return test::decode_result<map_service, M>(answer).value();
  }
  service_set services_;
};

/// The oracle: one flat table.
struct model {
  struct slot {
    value held;
    index_t revision;
  };
  std::map<std::pair<std::string, std::string>, slot> table;

  const slot* find(const std::string& map, const std::string& key) const {
    const auto found = table.find({map, key});
    return found == table.end() ? nullptr : &found->second;
  }
  std::vector<std::string> keys(const std::string& map) const {
    std::vector<std::string> all;
    for (const auto& [name, held] : table)
      if (name.first == map) all.push_back(name.second);
    return all;
  }
};

void check_listing(const running& service, const model& oracle, rng& random, const std::string& map) {
  map::list_keys question{map, below(random, 6), {}};
  if (below(random, 2)) question.after = random_text(random, 2);
  auto expected = oracle.keys(map);
  if (question.after) std::erase_if(expected, [&](const auto& key) { return key <= *question.after; });
  const bool more = expected.size() > question.limit;
  if (more) expected.resize(question.limit);
  const auto listed = service.query(question);
  REQUIRE(listed.keys == expected);
  REQUIRE(listed.more == more);
}

void check_swap(running& service, model& oracle, const map::compare_and_swap& command, index_t index) {
  const auto* held = oracle.find(command.map, command.key);
  const bool swaps = command.expected ? held && held->held == *command.expected : !held;
  const auto done = service.apply(command, index);
  REQUIRE(done.swapped == swaps);
  if (swaps) oracle.table[{command.map, command.key}] = {command.value, index};
  const auto* now = oracle.find(command.map, command.key);
  REQUIRE(done.current == (now ? std::optional(now->held) : std::nullopt));
  REQUIRE(done.revision == (now ? now->revision : 0));
}

} // namespace

TEST_CASE("the map behaves like a plain table") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    running service;
    model oracle;
    for (index_t index = 1; index <= 400; ++index) {
      const auto map = random_text(random, 1), key = random_text(random, 2);
      const auto fresh = value::of(below(random, 3));
      switch (below(random, 6)) {
      case 0:
      case 1:
        REQUIRE(service.apply(map::put{map, key, fresh}, index).revision == index);
        oracle.table[{map, key}] = {fresh, index};
        break;
      case 2: {
        const auto done = service.apply(map::remove{map, key}, index);
        REQUIRE(done.removed == (oracle.table.erase({map, key}) == 1));
        REQUIRE(done.revision == index);
        break;
      }
      case 3: {
        map::compare_and_swap command{map, key, {}, fresh};
        if (below(random, 2)) command.expected = value::of(below(random, 3));
        check_swap(service, oracle, command, index);
        break;
      }
      case 4: {
        const auto* held = oracle.find(map, key);
        const auto got = service.query(map::get{map, key});
        REQUIRE(got.value == (held ? std::optional(held->held) : std::nullopt));
        REQUIRE(got.revision == (held ? held->revision : 0));
        break;
      }
      default:
        check_listing(service, oracle, random, map);
      }
    }
  }
}

TEST_CASE("compare and swap compares canonical encodings, and treats null as absent") {
  running service;
  const auto unsorted = value::from_msgpack("\x82\xa2xx\x01\xa1y\xcc\x02").value();
  const auto sorted = value::from_msgpack("\x82\xa1y\x02\xa2xx\x01").value();
  CHECK(service.apply(map::compare_and_swap{"m", "k", value{}, unsorted}, 1).swapped);
  CHECK_FALSE(service.apply(map::compare_and_swap{"m", "k", {}, unsorted}, 2).swapped);
  CHECK_FALSE(service.apply(map::compare_and_swap{"m", "k", value{}, unsorted}, 3).swapped);
  const auto done = service.apply(map::compare_and_swap{"m", "k", sorted, value::of(5)}, 4);
  CHECK(done.swapped);
  CHECK(done.current == value::of(5));
  CHECK(done.revision == 4);
}

TEST_CASE("keys and names may be any bytes, or empty") {
  running service;
  const std::string bytes("\0\xff\n", 3);
  service.apply(map::put{"", "", value::of(1)}, 1);
  service.apply(map::put{bytes, bytes, value::of(2)}, 2);
  CHECK(service.query(map::get{"", ""}).value == value::of(1));
  CHECK(service.query(map::get{bytes, bytes}).value == value::of(2));
  CHECK(service.query(map::list_keys{bytes}).keys == std::vector<std::string>{bytes});
}

TEST_CASE("rejects null and oversized values, names and keys, without a change") {
  running service;
  const std::string longest(map::max_key_size, 'k'), too_long(map::max_key_size + 1, 'k');
  const auto text_of_size = [](std::size_t size) { return value::of(std::string(size - 5, 'v')); };
  const auto largest = text_of_size(map::max_value_size), too_large = text_of_size(map::max_value_size + 1);
  REQUIRE(largest.size() == map::max_value_size);

  CHECK(service.apply(map::put{longest, longest, largest}, 1).revision == 1);
  CHECK_THROWS_WITH(service.apply(map::put{too_long, "k", value::of(1)}, 2), Catch::Contains("longer than 4 KiB"));
  CHECK_THROWS_WITH(service.apply(map::put{"m", too_long, value::of(1)}, 3), Catch::Contains("longer than 4 KiB"));
  CHECK_THROWS_WITH(service.apply(map::put{"m", "k", too_large}, 4), Catch::Contains("larger than 1 MiB"));
  CHECK_THROWS_WITH(service.apply(map::put{"m", "k", value{}}, 5), Catch::Contains("null"));
  CHECK_THROWS_WITH(service.apply(map::compare_and_swap{"m", "k", {}, value{}}, 6), Catch::Contains("null"));
  CHECK_THROWS_AS(service.apply(map::compare_and_swap{"m", "k", {}, too_large}, 7), refused);
  CHECK_THROWS_AS(service.apply(map::remove{"m", too_long}, 8), refused);
  CHECK_THROWS_AS(service.query(map::get{"m", too_long}), refused);
  CHECK_THROWS_AS(service.query(map::list_keys{too_long}), refused);
  CHECK(service.query(map::list_keys{"m"}).keys.empty());
}

TEST_CASE("a listing is always bounded and can be continued") {
  running service;
  const std::string padding(map::max_key_size - 4, 'p');
  std::vector<std::string> all;
  for (unsigned i = 1000; i < 1600; ++i) {
    all.push_back(std::to_string(i) + padding);
    service.apply(map::put{"m", all.back(), value::of(1)}, i);
  }
  map::list_keys question{"m", UINT64_MAX, {}};
  std::vector<std::string> listed;
  for (bool more = true; more;) {
    const auto part = service.query(question);
    REQUIRE_FALSE(part.keys.empty());
    REQUIRE(part.keys.size() * map::max_key_size <= map::max_listed_size);
    listed.insert(listed.end(), part.keys.begin(), part.keys.end());
    question.after = listed.back();
    more = part.more;
  }
  CHECK(listed == all);
}

#include "tests/unit/services/call.hpp"
#include "tests/unit/services/random_value.hpp"
#include "tests/unit/services/snapshot_bytes.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <troupe/services/map_service.hpp>
#include <vector>

using namespace troupe;
using namespace troupe::detail;
using namespace troupe::test;
using Catch::Contains;

namespace {

std::string saved(const map_service& service) {
  bytes_sink to;
  state_writer writer(to);
  service.save(writer);
  writer.finish();
  return to.bytes;
}

map_service loaded(const std::string& bytes, std::size_t most = SIZE_MAX) {
  bytes_source from(bytes, most);
  state_reader reader(from);
  map_service service;
  service.load(reader);
  reader.finish();
  return service;
}

/// Runs the same random command on all services and checks that they answer the same.
void run_one(rng& random, std::vector<map_service*> services, index_t index) {
  const auto map = random_text(random, 1), key = random_text(random, 2);
  const auto fresh = value::from_msgpack(encoder{}(random_node(random, 2))).value_or(value::of(1));
  const auto what = below(random, 4);
  std::vector<std::string> answers;
  for (auto* service : services) {
    const auto note = [&answers](const auto& result) { answers.push_back(msgpack_serializer::encode(result)); };
    try {
      if (what == 0) note(service->apply(map::remove{map, key}, {index}));
      if (what == 1) note(service->apply(map::compare_and_swap{map, key, {}, fresh}, {index}));
      if (what >= 2) note(service->apply(map::put{map, key, fresh}, {index}));
    } catch (const refused& refusal) {
      answers.emplace_back(refusal.what());
    }
  }
  for (const auto& answer : answers) REQUIRE(answer == answers.front());
}

/// All answers of the map, key by key.
std::string everything(const map_service& service) {
  std::string all;
  rng random(1);
  for (const auto& map : {"", "a", "b", "Z", "0", "é"}) {
    const auto listed = service.query(map::list_keys{map});
    for (const auto& key : listed.keys) {
      const auto got = service.query(map::get{map, key});
      all += msgpack_serializer::encode(key) + msgpack_serializer::encode(got);
    }
  }
  return all;
}

std::string items(const auto&... item) {
  bytes_sink to;
  state_writer writer(to);
  (writer.put(item), ...);
  writer.finish();
  return to.bytes;
}

const std::vector<std::uint64_t> no_slot{};

} // namespace

TEST_CASE("a loaded map answers like the saved one, also after further commands") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    rng random(seed);
    map_service original;
    index_t index = 0;
    for (auto n = below(random, 400); n > 0; --n) run_one(random, {&original}, ++index);
    const auto bytes = saved(original);
    auto restored = loaded(bytes, 1 + below(random, 5000));
    REQUIRE(everything(restored) == everything(original));
    REQUIRE(saved(restored) == bytes);
    for (int n = 0; n < 200; ++n) run_one(random, {&original, &restored}, ++index);
    REQUIRE(everything(restored) == everything(original));
    REQUIRE(saved(restored) == saved(original));
  }
}

TEST_CASE("maps with many keys, and many maps, are saved and loaded in pieces") {
  map_service service;
  for (unsigned i = 1; i <= 20'000; ++i) {
    service.apply(map::put{"one", std::to_string(i * 7919 % 20'000), value::of(std::string(i % 50, 'v'))}, {i});
    service.apply(map::put{std::to_string(i % 3000), "k", value::of(i)}, {i});
  }
  const auto restored = loaded(saved(service), 777);
  CHECK(saved(restored) == saved(service));
  CHECK(restored.query(map::get{"one", "7919"}).revision == 1);
  CHECK(restored.query(map::get{"42", "k"}).value == value::of(18'042));
}

TEST_CASE("the map's bytes: a format, then maps and keys in order with their counts") {
  map_service service;
  service.apply(map::put{"m", "a", value::of(1)}, {5});
  service.apply(map::put{"m", "b", value::of(2)}, {6});
  const auto slot = [](int held, int revision) { return std::make_tuple(value::of(held), revision); };
  const auto bytes = items(1, 1, "m", 2, "a", slot(1, 5), "b", slot(2, 6));
  CHECK(saved(service) == bytes);
  CHECK(saved(loaded(bytes)) == bytes);
  CHECK(saved(map_service{}) == items(1, 0));
}

TEST_CASE("rejects bytes that are not a state of a map with a reason") {
  const auto slot = std::make_tuple(value::of(1), 1);
  CHECK_THROWS_WITH(loaded(""), Contains("ends where"));
  CHECK_THROWS_WITH(loaded(items(2, 0)), Contains("format 2"));
  CHECK_THROWS_WITH(loaded(items(1, 0, 0)), Contains("more than the service reads"));
  CHECK_THROWS_WITH(loaded(items(1, 1, "m", 0)), Contains("a map is empty"));
  CHECK_THROWS_WITH(loaded(items(1, 1, "m", 2, "b", slot, "a", slot)), Contains("keys are not in order"));
  CHECK_THROWS_WITH(loaded(items(1, 1, "m", 2, "a", slot, "a", slot)), Contains("keys are not in order"));
  CHECK_THROWS_WITH(loaded(items(1, 2, "m", 1, "a", slot, "m", 1, "a", slot)), Contains("maps are not in order"));
  CHECK_THROWS_WITH(loaded(items(1, 1, "m", 2, "a", slot)), Contains("ends where"));
  CHECK_THROWS_WITH(loaded(items(1, UINT64_MAX, "m", UINT64_MAX, "a", slot)), Contains("ends where"));
  CHECK_THROWS_WITH(loaded(items(1, 1, "m", 1, "a", no_slot)), Contains("not of the type"));
}

TEST_CASE("rejects every truncated state of a map, and a flipped bit at worst gives another state") {
  map_service service;
  for (unsigned i = 1; i <= 40; ++i) service.apply(map::put{i % 2 ? "m" : "n", std::to_string(i), value::of(i)}, {i});
  const auto whole = saved(service);
  for (std::size_t size = 0; size < whole.size(); ++size)
    REQUIRE_THROWS_AS(loaded(whole.substr(0, size)), snapshot_error);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    try {
      // A key or a revision may have changed: the checksum of the file detects that. The rest must still be consistent.
      const auto other = loaded(bytes);
      REQUIRE(saved(other).size() <= whole.size() + 8);
    } catch (const snapshot_error&) {
    }
  }
}

TEST_CASE("the map reports the size of its state, also after loading it") {
  map_service service;
  CHECK(service.state_bytes() == 0);
  const auto of_entry = [](std::size_t key, const value& v) { return key + v.size() + map::entry_overhead; };
  const auto small = value::of(1), large = value::of(std::string(1000, 'x'));
  const std::uint64_t of_map = 3 + map::entry_overhead;
  service.apply(map::put{"map", "key", small}, {1});
  CHECK(service.state_bytes() == of_map + of_entry(3, small));
  service.apply(map::put{"map", "key", large}, {2});
  CHECK(service.state_bytes() == of_map + of_entry(3, large));
  service.apply(map::put{"map", "longer", small}, {3});
  CHECK(service.state_bytes() == of_map + of_entry(3, large) + of_entry(6, small));
  service.apply(map::compare_and_swap{"map", "key", small, small}, {4}); // fails: the key has another value
  service.apply(map::remove{"map", "none"}, {5});
  service.apply(map::remove{"none", "none"}, {6});
  CHECK(service.state_bytes() == of_map + of_entry(3, large) + of_entry(6, small));
  CHECK(loaded(saved(service)).state_bytes() == service.state_bytes());
  service.apply(map::compare_and_swap{"map", "key", large, small}, {7});
  CHECK(service.state_bytes() == of_map + of_entry(3, small) + of_entry(6, small));
  service.apply(map::remove{"map", "key"}, {8});
  service.apply(map::remove{"map", "longer"}, {9});
  CHECK(service.state_bytes() == 0);

  rng random(3);
  for (index_t index = 10; index < 2000; ++index) {
    run_one(random, {&service}, index);
    if (index % 100 == 0) REQUIRE(loaded(saved(service)).state_bytes() == service.state_bytes());
  }
  CHECK(service.state_bytes() > 0);
}

TEST_CASE("only removals never make the map larger") {
  const auto machine = detail::make_machine(map_service{});
  CHECK(machine->non_growing_commands() == std::vector<std::string>{"remove"});
  CHECK(machine->state_bytes() == 0);
}

TEST_CASE("the map reports which commands would make it larger") {
  map_service service;
  const auto small = value::of("x"), large = value::of("xy"), other = value::of("z");
  service.apply(map::put{"map", "key", small}, {1});
  const auto machine = detail::make_machine(service);
  const auto adds = [&](const auto& command) {
    const auto envelope = test::encode_call<map_service>(command);
    const auto parts = services::decode_command(envelope).value();
    return machine->would_add(parts.tag, parts.payload);
  };
  CHECK_FALSE(adds(map::put{"map", "key", other}));
  CHECK(adds(map::put{"map", "key", large}));
  CHECK(adds(map::put{"map", "new", small}));
  CHECK(adds(map::put{"new", "key", small}));
  CHECK_FALSE(adds(map::remove{"map", "key"}));
  CHECK_FALSE(adds(map::compare_and_swap{"map", "key", small, other}));
  CHECK(adds(map::compare_and_swap{"map", "key", small, large}));
  CHECK_FALSE(adds(map::compare_and_swap{"map", "key", other, large})); // it fails
  CHECK(adds(map::compare_and_swap{"map", "new", {}, small}));
  CHECK(machine->would_add("put", "no command"));
  CHECK(machine->would_add("none", ""));
}

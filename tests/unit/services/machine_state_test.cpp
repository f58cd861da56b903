#include "tests/unit/services/call.hpp"
#include "tests/unit/services/counter.hpp"
#include "tests/unit/services/snapshot_bytes.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <troupe/detail/machine.hpp>
#include <troupe/services/map_service.hpp>

using namespace troupe;
using namespace troupe::detail;
using namespace troupe::test;
using Catch::Contains;

namespace {

void add_to(machine& counting, std::int64_t amount, index_t index) {
  REQUIRE(counting.apply("add", msgpack_serializer::encode(add{amount}), {index}).status == detail::reply_status::ok);
}
void put_into(machine& map, const std::string& key, int held, index_t index) {
  const map::put command{"m", key, value::of(held)};
  REQUIRE(map.apply("put", msgpack_serializer::encode(command), {index}).status == detail::reply_status::ok);
}
detail::reply total_of(const machine& counting) { return counting.query("total", msgpack_serializer::encode(total{})); }

void load_bytes(machine& into, const std::string& bytes) {
  bytes_source from(bytes);
  into.load(from);
}

/// A counter with another name.
class other_counter : public counter {
 public:
  static constexpr std::string_view name = "other";
};

class throws_in_load : public counter {
 public:
  void load(state_reader&) { throw std::logic_error("a bug"); }
};

} // namespace

TEST_CASE("a view keeps the machine's state despite later commands and the machine's destruction") {
  auto counting = make_machine(counter{});
  add_to(*counting, 40, 1);
  const auto view = counting->view();
  const auto bytes = saved(*view);
  add_to(*counting, 2, 2);
  CHECK(saved(*view) == bytes);
  CHECK(saved(*counting->view()) != bytes);
  const auto later = counting->view();
  counting.reset();
  CHECK(saved(*view) == bytes);
  CHECK(saved(*later) != bytes);
}

TEST_CASE("a machine that loads a view's bytes answers like the original") {
  const auto counting = make_machine(counter{}), restored = make_machine(counter{});
  add_to(*counting, 40, 7);
  load_bytes(*restored, saved(*counting->view()));
  CHECK(total_of(*restored) == total_of(*counting));
  add_to(*counting, 2, 99);
  add_to(*restored, 2, 99);
  CHECK(total_of(*restored) == detail::reply{detail::reply_status::refused, "not now"});
  CHECK(total_of(*restored) == total_of(*counting));
}

TEST_CASE("a view can be saved on another thread while the machine applies commands") {
  const auto map = make_machine(map_service{});
  index_t index = 0;
  for (int i = 0; i < 5000; ++i) put_into(*map, std::to_string(i), i, ++index);
  const auto view = map->view();
  const auto expected = saved(*view);
  std::string elsewhere;
  std::thread saver([&] { elsewhere = saved(*view); });
  for (int i = 0; i < 20'000; ++i) put_into(*map, std::to_string(i % 7000), -i, ++index);
  saver.join();
  CHECK(elsewhere == expected);
  const auto restored = make_machine(map_service{});
  load_bytes(*restored, elsewhere);
  CHECK(saved(*restored->view()) == expected);
}

TEST_CASE("a machine rejects bytes that are not exactly a state of its service") {
  const auto counting = make_machine(counter{});
  add_to(*counting, 5, 1);
  const auto bytes = saved(*counting->view());
  const auto refuses = [](machine& into, const std::string& given, const std::string& why) {
    CHECK_THROWS_WITH(load_bytes(into, given), Contains(why));
    CHECK_THROWS_AS(load_bytes(into, given), snapshot_error);
  };
  refuses(*make_machine(other_counter{}), bytes, "belongs to service \"counter\", not to \"other\"");
  refuses(*make_machine(map_service{}), bytes, "belongs to service \"counter\", not to \"map\"");
  refuses(*make_machine(counter{}), saved(*make_machine(map_service{})->view()), "not to \"counter\"");
  refuses(*make_machine(counter{}), bytes + std::string(1, '\0'), "more than the service reads");
  refuses(*make_machine(counter{}), bytes + bytes, "more than the service reads");
  refuses(*make_machine(counter{}), "junk of some length, junk of some length", "announced");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    refuses(*make_machine(counter{}), bytes.substr(0, size), "the state ends");
}

TEST_CASE("passes on exceptions of a service or its source in load") {
  struct failing : detail::snapshot_source {
    std::size_t read(std::span<char>) override { throw std::runtime_error("the disk failed"); }
  };
  const auto bytes = saved(*make_machine(throws_in_load{})->view());
  CHECK_THROWS_AS(load_bytes(*make_machine(throws_in_load{}), bytes), std::logic_error);
  failing from;
  CHECK_THROWS_WITH(make_machine(counter{})->load(from), "the disk failed");
}

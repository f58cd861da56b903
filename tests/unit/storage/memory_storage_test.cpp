#include "runtime/storage/memory_storage.hpp"

#include "tests/unit/storage/storage_model.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("memory storage keeps the synced writes and any first part of the others") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    random_source random{seed};
    memory_storage storage;
    std::vector<log_model> history{{}}; // after the synced writes and after each unsynced one
    for (int step = 0; step < 60; ++step) {
      const auto what = pick(random, 0, 9);
      if (what < 6) {
        const auto change = random_write(random, history.back(), 20);
        storage.apply(change);
        history.push_back(history.back());
        history.back().apply(change);
      } else if (what < 8) {
        storage.sync();
        history.erase(history.begin(), history.end() - 1);
      } else {
        const auto keep = pick(random, 0, storage.unsynced());
        const auto found = storage.crash(keep);
        history = {history[keep]};
        REQUIRE(same(found, history[0].recovered()));
      }
      REQUIRE(storage.unsynced() + 1 == history.size());
      const auto first = pick(random, 0, history.back().entries.size() + 1);
      const auto last = pick(random, 0, history.back().entries.size() + 1);
      const auto bytes = pick(random, 0, 200);
      REQUIRE(storage.read(first, last, bytes) == history.back().read(first, last, bytes));
      REQUIRE(same(storage.contents(), history.back().recovered()));
    }
  }
}

TEST_CASE("a failed memory storage refuses writes until it crashed") {
  memory_storage storage;
  storage.apply(make_append(1, 2, 1, 3));
  storage.fail();
  REQUIRE_THROWS_AS(storage.sync(), raft::storage_error);
  REQUIRE_THROWS_AS(storage.apply(make_append(3, 3, 1, 3)), raft::storage_error);
  REQUIRE(storage.crash(0).last_index == 0);
  storage.apply(make_append(1, 1, 1, 3));
  storage.sync();
  REQUIRE(storage.crash(0).last_index == 1);
}

TEST_CASE("a write that does not fit the log is refused") {
  memory_storage storage;
  storage.apply(make_append(1, 3, 5, 3));
  REQUIRE_THROWS_WITH(storage.apply(make_append(5, 5, 5, 3)), Catch::Contains("index 5 where 4 is due"));
  REQUIRE_THROWS_WITH(storage.apply(make_append(4, 4, 4, 3)), Catch::Contains("term 4 after term 5"));
  raft::write from_zero;
  from_zero.truncate_from = 0;
  REQUIRE_THROWS_AS(storage.apply(from_zero), raft::storage_error);
  auto replace = make_append(2, 2, 6, 3);
  replace.truncate_from = 2;
  storage.apply(replace);
  REQUIRE(storage.contents().terms == std::vector<raft::term_run>{{1, 5}, {2, 6}});
}

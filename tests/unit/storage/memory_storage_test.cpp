#include "runtime/storage/memory_storage.hpp"

#include "tests/unit/storage/storage_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("a crash of memory storage keeps the synced writes and any prefix of the others") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    random_source random{seed};
    memory_storage storage;
    std::vector<log_model> history{{}}; // after the synced writes and after each unsynced one
    raft::index_t compact_to = 0;
    const auto compact = [&] {
      history[0] = history[0].behind(std::min(std::exchange(compact_to, 0), history[0].last_index()));
    };
    for (int step = 0; step < 60; ++step) {
      const auto what = pick(random, 0, 10);
      if (what < 6) {
        const auto change = random_write(random, history.back(), 20);
        storage.apply(change);
        if (change.reset_to) compact_to = std::min(compact_to, change.reset_to->index);
        history.push_back(history.back());
        history.back().apply(change);
      } else if (what < 8) {
        storage.sync();
        history.erase(history.begin(), history.end() - 1);
        compact();
      } else if (what < 9) {
        // Writes that a crash could still undo are not compacted.
        const auto up_to = pick(random, 0, history.back().last_index());
        storage.compact(up_to);
        compact_to = std::max(compact_to, up_to);
        if (history.size() == 1) compact();
      } else {
        const auto keep = pick(random, 0, storage.unsynced());
        const auto found = storage.crash(keep);
        history = {history[keep]};
        compact_to = 0;
        REQUIRE(same(found, history[0].recovered()));
      }
      REQUIRE(storage.unsynced() + 1 == history.size());
      const auto first = pick(random, 0, history.back().last_index() + 1);
      const auto last = pick(random, 0, history.back().last_index() + 1);
      const auto bytes = pick(random, 0, 200);
      REQUIRE(storage.read(first, last, bytes) == history.back().read(first, last, bytes));
      REQUIRE(same(storage.contents(), history.back().recovered()));
    }
  }
}

TEST_CASE("a failed memory storage rejects writes until it crashes") {
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

TEST_CASE("rejects a write that does not fit the log") {
  memory_storage storage;
  storage.apply(make_append(1, 3, 5, 3));
  REQUIRE_THROWS_WITH(storage.apply(make_append(5, 5, 5, 3)), Catch::Contains("index 5, expected 4"));
  REQUIRE_THROWS_WITH(storage.apply(make_append(4, 4, 4, 3)), Catch::Contains("term 4 after term 5"));
  raft::write from_zero;
  from_zero.truncate_from = 0;
  REQUIRE_THROWS_AS(storage.apply(from_zero), raft::storage_error);
  auto replace = make_append(2, 2, 6, 3);
  replace.truncate_from = 2;
  storage.apply(replace);
  REQUIRE(storage.contents().terms == std::vector<raft::term_run>{{1, 5}, {2, 6}});
}

TEST_CASE("a reset drops the whole log and can be undone by a crash") {
  memory_storage storage;
  storage.apply(make_append(1, 9, 3, 5));
  storage.sync();
  storage.compact(4);
  const auto before = storage.contents();
  REQUIRE(before.start == raft::log_position{4, 3});
  REQUIRE_THROWS_WITH(storage.apply(make_truncation(4)), Catch::Contains("begins after 4"));
  auto change = make_append(21, 22, 7, 5);
  change.reset_to = raft::log_position{20, 6};
  storage.apply(change);
  REQUIRE(storage.contents().start == raft::log_position{20, 6});
  REQUIRE(storage.contents().last_index == 22);
  REQUIRE(storage.read(1, 30, SIZE_MAX).size() == 2);
  REQUIRE(same(storage.crash(0), before));
  REQUIRE(storage.read(1, 30, SIZE_MAX).size() == 5);
  REQUIRE_THROWS_WITH(storage.apply(make_append(21, 21, 7, 5)), Catch::Contains("expected 10"));
  auto falling = make_append(21, 21, 5, 5);
  falling.reset_to = raft::log_position{20, 6};
  REQUIRE_THROWS_WITH(storage.apply(falling), Catch::Contains("term 5 after term 6"));
}

TEST_CASE("a compaction waits for unsynced writes") {
  memory_storage storage;
  storage.apply(make_append(1, 9, 3, 5));
  storage.compact(5);
  REQUIRE(storage.contents().start.index == 0);
  storage.sync();
  REQUIRE(storage.contents().start.index == 5);
  REQUIRE(storage.has_room());
  storage.set_room(false);
  REQUIRE_FALSE(storage.has_room());
}

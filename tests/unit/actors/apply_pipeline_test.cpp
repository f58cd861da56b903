// Batches of entries are completed in log order, whatever the pace of the services.
#include "actors/replica/apply_pipeline.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace troupe {
namespace {

apply_pipeline::batch up_to(index_t last, std::size_t bytes = 10) {
  apply_pipeline::batch b;
  b.last = last;
  b.bytes = bytes;
  return b;
}

std::vector<applied_item> outcomes(std::initializer_list<index_t> indexes) {
  std::vector<applied_item> items;
  for (const auto index : indexes) items.push_back({index, 1, errc::none, {}});
  return items;
}

std::vector<index_t> indexes(const apply_pipeline::batch& b) {
  std::vector<index_t> all;
  for (const auto& item : b.items) all.push_back(item.index);
  return all;
}

TEST_CASE("a batch is complete when all its services have answered, in log order") {
  apply_pipeline p;
  p.add(up_to(3), {"a", "b"});
  p.answered("a", outcomes({1, 3}));
  CHECK(!p.take_complete());
  p.answered("b", outcomes({2}));
  const auto done = p.take_complete();
  REQUIRE(done);
  CHECK(done->last == 3);
  CHECK(indexes(*done) == std::vector<index_t>{1, 2, 3});
  CHECK(!p.take_complete());
}

TEST_CASE("a fast service does not overtake a slow one") {
  apply_pipeline p;
  p.add(up_to(1), {"slow"});
  p.add(up_to(2), {"fast"});
  p.add(up_to(3), {"fast", "slow"});
  CHECK(p.bytes() == 30);
  p.answered("fast", outcomes({2}));
  p.answered("fast", outcomes({3}));
  CHECK(!p.take_complete());
  p.answered("slow", outcomes({1}));
  CHECK(p.take_complete()->last == 1);
  CHECK(p.take_complete()->last == 2);
  CHECK(!p.take_complete());
  CHECK(p.bytes() == 10);
  p.answered("slow", outcomes({3}));
  CHECK(p.take_complete()->last == 3);
  CHECK(p.bytes() == 0);
}

TEST_CASE("a batch without services waits for the batches before it") {
  apply_pipeline p;
  p.add(up_to(1), {"a"});
  auto covered = up_to(9, 0);
  covered.covered = true;
  p.add(covered, {});
  CHECK(!p.take_complete());
  p.answered("a", outcomes({1}));
  CHECK(!p.take_complete()->covered);
  CHECK(p.take_complete()->covered);
}

TEST_CASE("an answer that belongs to no batch is an error") {
  apply_pipeline p;
  CHECK_THROWS_AS(p.answered("a", outcomes({1})), std::logic_error);
  p.add(up_to(1), {"a"});
  p.answered("a", outcomes({1}));
  CHECK_THROWS_AS(p.answered("a", outcomes({1})), std::logic_error);
}

} // namespace
} // namespace troupe

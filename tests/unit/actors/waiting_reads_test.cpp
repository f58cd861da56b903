// The reads that wait for entries.
#include "actors/replica/waiting_reads.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

namespace troupe {
namespace {

using batches = std::vector<std::pair<index_t, std::vector<std::uint64_t>>>;

query_batch reading(index_t at, std::uint64_t number) { return {at, {{number, {}}}}; }
query_batch many(index_t at, std::size_t count) { return {at, std::vector<query>(count)}; }

batches taken(waiting_reads& reads, index_t index) {
  batches all;
  reads.take_up_to(index, [&](index_t at, const std::vector<query>& queries) {
    auto& numbers = all.emplace_back(at, std::vector<std::uint64_t>{}).second;
    for (const auto& each : queries) numbers.push_back(each.number);
  });
  return all;
}

TEST_CASE("reads are taken once, when their index is reached, lowest index first") {
  waiting_reads reads;
  CHECK(taken(reads, 100).empty());
  for (const index_t at : {7u, 3u, 5u, 9u}) REQUIRE(reads.add(reading(at, at * 10)));
  CHECK(taken(reads, 2).empty());
  CHECK(taken(reads, 7) == batches{{3, {30}}, {5, {50}}, {7, {70}}});
  CHECK(taken(reads, 8).empty());
  CHECK(taken(reads, 100) == batches{{9, {90}}});
}

TEST_CASE("batches for the same index are taken in the order in which they arrived") {
  waiting_reads reads;
  for (const std::uint64_t number : {5u, 1u, 3u}) REQUIRE(reads.add(reading(4, number)));
  CHECK(taken(reads, 4) == batches{{4, {5}}, {4, {1}}, {4, {3}}});
}

TEST_CASE("a limited number of queries waits") {
  constexpr std::size_t most = 100'000;
  waiting_reads reads;
  CHECK_FALSE(reads.add(many(1, most + 1)));
  REQUIRE(reads.add(many(1, most - 1)));
  CHECK_FALSE(reads.add(many(2, 2)));
  REQUIRE(reads.add(many(2, 1)));
  CHECK_FALSE(reads.add(reading(3, 1)));
  // What was refused does not wait, and what was taken makes room.
  CHECK(taken(reads, 1).size() == 1);
  CHECK_FALSE(reads.add(many(3, most)));
  CHECK(reads.add(many(3, most - 1)));
  CHECK(taken(reads, 100).size() == 2);
}

} // namespace
} // namespace troupe

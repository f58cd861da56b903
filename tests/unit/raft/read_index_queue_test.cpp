// The reads that wait for a quorum's confirmation (Ongaro's thesis, section 6.4).
#include "raft/read_index_queue.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

std::vector<tag_t> confirmed_by(read_index_queue& queue, std::uint64_t round, index_t index) {
  std::vector<read_ready> ready;
  queue.confirm(round, ready);
  std::vector<tag_t> tags;
  for (const auto& read : ready) {
    CHECK(read.index == index);
    tags.push_back(read.tag);
  }
  return tags;
}

TEST_CASE("a read waits for a round that began after it arrived") {
  read_index_queue queue;
  REQUIRE(queue.add(1));
  queue.admit(5);
  CHECK(confirmed_by(queue, 0, 5).empty());
  REQUIRE(queue.begin_round());
  CHECK(queue.round() == 1);
  REQUIRE(queue.add(2));
  queue.admit(6);
  CHECK(!queue.begin_round());
  CHECK(confirmed_by(queue, 1, 5) == std::vector<tag_t>{1});
  REQUIRE(queue.begin_round());
  CHECK(confirmed_by(queue, 2, 6) == std::vector<tag_t>{2});
  CHECK(!queue.begin_round());
}

TEST_CASE("a read waits until an entry of the leader's term is committed") {
  read_index_queue queue;
  REQUIRE(queue.add(1));
  CHECK(!queue.begin_round());
  CHECK(confirmed_by(queue, 0, 0).empty());
  queue.admit(3);
  REQUIRE(queue.begin_round());
  CHECK(confirmed_by(queue, 1, 3) == std::vector<tag_t>{1});
}

TEST_CASE("an older confirmation takes nothing back") {
  read_index_queue queue;
  REQUIRE(queue.add(1));
  queue.admit(3);
  REQUIRE(queue.begin_round());
  CHECK(confirmed_by(queue, 1, 3) == std::vector<tag_t>{1});
  CHECK(confirmed_by(queue, 0, 3).empty());
  REQUIRE(queue.add(2));
  queue.admit(3);
  CHECK(queue.begin_round());
}

TEST_CASE("the queue is bounded, and hands all its reads back") {
  read_index_queue queue;
  tag_t tag = 0;
  while (queue.add(tag)) ++tag;
  CHECK(tag == 65536);
  CHECK(queue.take_all().size() == 65536);
  CHECK(queue.add(1));
  CHECK(queue.take_all() == std::vector<tag_t>{1});
}

} // namespace
} // namespace troupe::raft

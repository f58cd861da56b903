// When a node takes a snapshot, and when it may not.
#include "actors/replica/snapshot_taker.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

const raft::time_point start{std::chrono::seconds{1000}};

raft::snapshot_id at_index(index_t index, std::uint64_t size = 100) {
  raft::snapshot_id id;
  id.last = {index, 1};
  id.checksum = index;
  id.size = size;
  return id;
}
raft::snapshot_point point(index_t index) {
  raft::snapshot_point at;
  at.last = {index, 1};
  return at;
}

snapshot_taker a_taker() { return {snapshot_policy{}, 1, {}}; }

/// Takes the snapshot up to the point where its file is being written.
void take(snapshot_taker& taker, index_t index, raft::time_point now = start) {
  REQUIRE(taker.can_begin(index));
  const auto number = taker.begin(point(index), 1, now);
  taker.add_view("map", {number, nullptr});
  REQUIRE(taker.take_complete());
}

TEST_CASE("a snapshot is complete with the views of all services") {
  auto taker = a_taker();
  CHECK(!taker.can_begin(0));
  REQUIRE(taker.can_begin(5));
  const auto number = taker.begin(point(5), 2, start);
  CHECK(taker.under_way());
  CHECK(!taker.can_begin(6));
  taker.add_view("a", {number, nullptr});
  taker.add_view("b", {number + 1, nullptr});
  CHECK(!taker.take_complete());
  taker.add_view("b", {number, nullptr});
  const auto complete = taker.take_complete();
  REQUIRE(complete);
  CHECK(complete->at.last.index == 5);
  CHECK(complete->views.size() == 2);
  CHECK(!taker.can_begin(6));
  taker.written({at_index(5), {}}, start);
  CHECK(taker.newest() == at_index(5));
  CHECK(!taker.can_begin(5));
  CHECK(taker.can_begin(6));
}

TEST_CASE("after a failure no snapshot is taken before the pause ends") {
  auto taker = a_taker();
  take(taker, 5);
  taker.written({{}, "no space left on device"}, start);
  REQUIRE(taker.retry_at());
  CHECK(*taker.retry_at() > start);
  CHECK(taker.blocked());
  CHECK(!taker.can_begin(5));
  CHECK(taker.objection() == "no space left on device");
  taker.end_pause();
  CHECK(taker.can_begin(5));
  take(taker, 5);
  taker.written({at_index(5), {}}, start);
  CHECK(taker.objection().empty());
  CHECK(!taker.retry_at());
}

TEST_CASE("skipped commands block snapshots until the state comes from elsewhere") {
  auto taker = a_taker();
  taker.skipped_commands_of("old");
  taker.skipped_commands_of("other");
  CHECK(!taker.can_begin(5));
  CHECK(taker.objection() == "the log holds commands of the service \"old\", which this program does not run");
  SECTION("from another node's snapshot") {
    taker.adopted(at_index(7));
    CHECK(taker.newest() == at_index(7));
    CHECK(!taker.due());
  }
  SECTION("from a backup, which a snapshot must cover soon") {
    taker.restored(5, at_index(3));
    CHECK(taker.due());
    take(taker, 5);
    taker.written({at_index(5), {}}, start);
    CHECK(!taker.due());
  }
  CHECK(taker.objection().empty());
  CHECK(taker.can_begin(8));
}

TEST_CASE("requested snapshots pause in proportion to the time that writing takes") {
  auto taker = a_taker();
  CHECK(taker.next_requested_at() <= start);
  take(taker, 5);
  CHECK(taker.unfinished(start + std::chrono::seconds{9}).empty());
  CHECK(taker.unfinished(start + std::chrono::seconds{12}) == "the snapshot started 12 s ago is not written yet");
  const auto end = start + std::chrono::seconds{12};
  taker.written({at_index(5), {}}, end);
  CHECK(taker.unfinished(end).empty());
  CHECK(taker.next_requested_at() == end + std::chrono::seconds{36});
  take(taker, 6, end);
  taker.written({at_index(6), {}}, end + std::chrono::hours{1});
  CHECK(taker.next_requested_at() == end + std::chrono::hours{1} + std::chrono::minutes{1});
}

TEST_CASE("a lost snapshot is replaced if it was the newest") {
  auto taker = a_taker();
  take(taker, 5);
  taker.written({at_index(5), {}}, start);
  CHECK(!taker.lost(at_index(4)));
  CHECK(taker.lost(at_index(5)));
  CHECK(!taker.newest());
  CHECK(taker.can_begin(5));
}

} // namespace
} // namespace troupe

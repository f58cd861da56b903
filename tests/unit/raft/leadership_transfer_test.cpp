// The state of a leadership transfer. transfer_test.cpp tests what a leader does with it.
#include "raft/leadership_transfer.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{1000}};
const node_id target{2};
const node_id other{3};

bool reports_nothing(const output& out) { return !out.failed_transfer && !out.transferred_now; }

TEST_CASE("a transfer is in progress until it ends") {
  leadership_transfer transfer;
  CHECK_FALSE(transfer.in_progress());
  CHECK_FALSE(transfer.is_to(target));
  CHECK_FALSE(transfer.asked());
  CHECK_FALSE(transfer.until());
  transfer.begin(7, target, start);
  CHECK(transfer.in_progress());
  CHECK(transfer.is_to(target));
  CHECK_FALSE(transfer.is_to(other));
  CHECK(transfer.target() == target);
  CHECK(transfer.until() == start);
  CHECK_FALSE(transfer.asked());
  transfer.note_asked();
  CHECK(transfer.asked());
  output out;
  transfer.end(std::nullopt, {}, out);
  CHECK_FALSE(transfer.in_progress());
  CHECK_FALSE(transfer.asked());
  CHECK_FALSE(transfer.until());
}

TEST_CASE("a new transfer has asked no target") {
  leadership_transfer transfer;
  output out;
  transfer.begin(7, target, start);
  transfer.note_asked();
  transfer.end(reject_reason::transfer_failed, {}, out);
  transfer.begin(8, other, start);
  CHECK_FALSE(transfer.asked());
  CHECK(transfer.is_to(other));
}

TEST_CASE("the client that asked for a transfer learns its outcome once") {
  leadership_transfer transfer;
  output out;
  SECTION("success") {
    transfer.begin(7, target, start);
    transfer.end(std::nullopt, other, out);
    REQUIRE(out.transferred_now);
    CHECK(out.transferred_now->tag == 7);
    CHECK(out.transferred_now->to == target);
    CHECK_FALSE(out.failed_transfer);
  }
  SECTION("failure") {
    transfer.begin(7, target, start);
    transfer.end(reject_reason::leadership_lost, other, out);
    REQUIRE(out.failed_transfer);
    CHECK(out.failed_transfer->tag == 7);
    CHECK(out.failed_transfer->why == reject_reason::leadership_lost);
    CHECK(out.failed_transfer->leader == other);
    CHECK_FALSE(out.transferred_now);
  }
  output again;
  transfer.end(reject_reason::leadership_lost, other, again);
  CHECK(reports_nothing(again));
}

TEST_CASE("the outcome of a transfer that no client asked for is not reported") {
  leadership_transfer transfer;
  output out;
  transfer.begin(0, target, start);
  transfer.end(reject_reason::transfer_failed, {}, out);
  CHECK(reports_nothing(out));
  transfer.begin(0, target, start);
  transfer.end(std::nullopt, {}, out);
  CHECK(reports_nothing(out));
}

} // namespace
} // namespace troupe::raft

// What a leader knows about its peers.
#include "raft/peer_table.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{1000}};
const node_id peer{2};

peer_report report(index_t match, std::uint64_t round, std::uint64_t session = 0, time_point heard = start) {
  peer_report r{1, peer, match, round, heard};
  r.session = session;
  return r;
}

TEST_CASE("a peer's progress does not fall within a session, and starts over with a new one") {
  peer_table peers{options{}};
  REQUIRE(peers.add(peer, 10, start));
  CHECK(!peers.add(peer, 10, start));
  CHECK(peers.note(report(8, 3), 10));
  CHECK(peers.note(report(6, 2), 10));
  CHECK(peers.match(peer) == 8);
  CHECK(peers.round(peer) == 3);
  CHECK(peers.note(report(4, 1, 1), 10));
  CHECK(peers.match(peer) == 4);
  CHECK(peers.round(peer) == 1);
  CHECK(!peers.note(report(9, 9), 10));
  CHECK(peers.match(peer) == 4);
}

TEST_CASE("nothing is known of a peer that the table does not have") {
  peer_table peers{options{}};
  peers.add(peer, 10, start);
  REQUIRE(peers.note(report(8, 3), 10));
  CHECK(peers.heard(peer) == start);
  const node_id other{3};
  CHECK(!peers.find(other));
  CHECK(peers.match(other) == 0);
  CHECK(peers.round(other) == 0);
  CHECK(peers.heard(other) == time_point{});
  CHECK(!peers.responds(other, start));
}

TEST_CASE("reports about a peer that left do not count when it joins again") {
  peer_table peers{options{}};
  peers.add(peer, 10, start);
  REQUIRE(peers.note(report(10, 1, 7), 10));
  peers.drop(peer);
  CHECK(!peers.note(report(10, 1, 7), 10));
  CHECK(peers.match(peer) == 0);
  peers.add(peer, 10, start);
  CHECK(!peers.note(report(10, 1, 8), 10));
  CHECK(peers.match(peer) == 0);
  CHECK(peers.at(peer).session > 8);
}

TEST_CASE("a leaver is notified for a limited time, unless it comes back") {
  peer_table peers{options{}};
  peers.add(peer, 10, start);
  configuration without;
  without.voters = {{node_id{1}, "n1:1"}};
  peers.follow(without, 11);
  CHECK(peers.at(peer).left_at == 11);
  CHECK(!peers.next_due());
  const auto until = start + std::chrono::seconds{1};
  peers.notify_leavers(until);
  peers.notify_leavers(until + std::chrono::seconds{1});
  CHECK(peers.next_due() == until);
  CHECK(peers.silent_leavers(until - std::chrono::milliseconds{1}).empty());
  CHECK(peers.silent_leavers(until) == std::vector<node_id>{peer});
  auto with = without;
  with.learners = {{peer, "n2:1"}};
  peers.follow(with, 12);
  CHECK(peers.at(peer).left_at == 0);
  CHECK(!peers.next_due());
}

TEST_CASE("the best successor is the eligible responding voter with the longest log") {
  const options opts;
  peer_table peers{opts};
  const std::vector<member> voters = {{{1}, "n1:1"}, {{2}, "n2:1"}, {{3}, "n3:1"}};
  CHECK(!peers.best_successor(voters, start));
  peers.add({2}, 10, start);
  peers.add({3}, 10, start);
  REQUIRE(peers.note(report(9, 0), 10));
  auto other = report(10, 0);
  other.peer = {3};
  REQUIRE(peers.note(other, 10));
  CHECK(peers.best_successor(voters, start) == node_id{3});
  other.ineligible = true;
  REQUIRE(peers.note(other, 10));
  CHECK(peers.best_successor(voters, start) == node_id{2});
  CHECK(!peers.best_successor(voters, start + opts.election_min));
}

} // namespace
} // namespace troupe::raft

// Raft paper, sections 5.2 and 5.4.1, and Ongaro's thesis, section 9.6: which requests get a vote.
#include "raft/vote_rules.hpp"

#include "raft/follower.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

vote_request request(term_t term, index_t last_index, term_t last_term, bool pre = false, std::uint64_t who = 2) {
  return {test::from(who, term), last_index, last_term, pre};
}

const vote_response& vote_in(const std::vector<rpc>& messages) {
  REQUIRE(messages.size() == 1);
  return std::get<vote_response>(messages.front());
}

} // namespace

TEST_CASE("5.4.1: the later last term is more up to date, then the longer log") {
  const auto state = test::state_with({1, 2, 2, 3}, {3, {}});
  struct {
    index_t last_index;
    term_t last_term;
    bool up_to_date;
  } const table[] = {
      {4, 3, true}, {5, 3, true}, {3, 3, false}, {9, 2, false}, {4, 2, false},
      {1, 4, true}, {4, 4, true}, {0, 0, false}, {4, 1, false},
  };
  for (const auto& row : table) {
    INFO("last " << row.last_index << '/' << row.last_term);
    CHECK(up_to_date(request(4, row.last_index, row.last_term), state.log()) == row.up_to_date);
  }
}

TEST_CASE("9.6: a pre-vote is granted for a higher term, an up-to-date log, and a silent leader") {
  const auto state = test::state_with({1, 2}, {5, {}});
  CHECK(answer_pre_vote(request(6, 2, 2, true), state, false).granted);
  CHECK(answer_pre_vote(request(6, 2, 2, true), state, false).head.term == 6);
  CHECK_FALSE(answer_pre_vote(request(6, 2, 2, true), state, true).granted);
  CHECK_FALSE(answer_pre_vote(request(5, 2, 2, true), state, false).granted);
  CHECK_FALSE(answer_pre_vote(request(6, 1, 1, true), state, false).granted);
  CHECK(answer_pre_vote(request(6, 1, 1, true), state, false).head.term == 5);
}

TEST_CASE("5.2: one vote per term, for the first candidate that asks") {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  const auto first = f.step(rpc{request(2, 1, 1)}, start);
  f.state().validate(first);
  CHECK(first.write_now->hard == hard_state{2, node_id{2}});
  CHECK(first.send_now.empty());
  CHECK(vote_in(first.send_after_persist).granted);
  f.step(persisted{test::all_of(f.state())}, start);
  CHECK_FALSE(vote_in(f.step(rpc{request(2, 1, 1, false, 3)}, start).send_now).granted);
  // Its response may have been lost.
  const auto again = f.step(rpc{request(2, 1, 1)}, start);
  CHECK(vote_in(again.send_now).granted);
  CHECK_FALSE(again.write_now);
}

TEST_CASE("5.2: a vote survives a restart") {
  follower f{test::state_with({1}, {2, node_id{2}})};
  f.start(start);
  CHECK_FALSE(vote_in(f.step(rpc{request(2, 1, 1, false, 3)}, start).send_now).granted);
  CHECK(vote_in(f.step(rpc{request(2, 1, 1)}, start).send_now).granted);
}

TEST_CASE("5.1: a request of an older term is refused in the voter's own term") {
  follower f{test::state_with({1}, {5, {}})};
  f.start(start);
  const auto out = f.step(rpc{request(4, 9, 9)}, start);
  CHECK_FALSE(vote_in(out.send_now).granted);
  CHECK(vote_in(out.send_now).head.term == 5);
}

TEST_CASE("5.1: a higher term is adopted even if the vote is refused") {
  follower f{test::state_with({1, 4}, {4, {}})};
  f.start(start);
  const auto out = f.step(rpc{request(6, 1, 1)}, start);
  CHECK_FALSE(vote_in(out.send_after_persist).granted);
  CHECK(out.write_now->hard == hard_state{6, {}});
}

TEST_CASE("4.2.3: a node ignores elections while it has heard the leader recently") {
  follower f{test::state_with({1}, {1, {}})};
  f.start(start);
  append_request beat;
  beat.head = test::from(3, 1);
  f.step(rpc{beat}, start);
  const auto& o = f.state().opts();
  const auto soon = start + o.election_min - 1ms;
  const auto ignored = f.step(rpc{request(2, 1, 1)}, soon);
  CHECK(ignored.send_now.empty());
  CHECK(ignored.send_after_persist.empty());
  CHECK(f.state().term() == 1);
  CHECK_FALSE(vote_in(f.step(rpc{request(2, 1, 1, true)}, soon).send_now).granted);
  CHECK(vote_in(f.step(rpc{request(2, 1, 1)}, start + o.election_min).send_after_persist).granted);
}

} // namespace troupe::raft

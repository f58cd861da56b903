// Raft paper, section 5.3: how a follower handles entries.
#include "raft/append_rules.hpp"

#include "raft/base/random.hpp"
#include "raft/follower.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

append_request request(index_t prev_index, term_t prev_term, std::vector<term_t> terms, index_t commit = 0,
                       term_t term = 9) {
  append_request r;
  r.head = test::from(2, term);
  r.prev_index = prev_index;
  r.prev_term = prev_term;
  r.commit = commit;
  r.round = 17;
  for (const auto t : terms) r.entries.push_back(test::command(++prev_index, t));
  return r;
}

std::vector<term_t> terms_of(const log_view& log) {
  std::vector<term_t> terms;
  for (index_t i = 1; i <= log.last_index(); ++i) terms.push_back(*log.term_at(i));
  return terms;
}

} // namespace

TEST_CASE("5.3: entries are appended where the logs agree at prev") {
  struct {
    const char* what;
    std::vector<term_t> log;
    append_request incoming;
    bool success;
    std::vector<term_t> after;
    index_t match;
    index_t hint_index;
  } const table[] = {
      {"a heartbeat", {1, 1}, request(2, 1, {}), true, {1, 1}, 2, 0},
      {"at the end", {1, 1}, request(2, 1, {2, 2}), true, {1, 1, 2, 2}, 4, 0},
      {"known already", {1, 1, 2}, request(1, 1, {1, 2}), true, {1, 1, 2}, 3, 0},
      {"a late one does not cut", {1, 1, 2, 2}, request(1, 1, {1}), true, {1, 1, 2, 2}, 2, 0},
      {"a conflict is cut", {1, 1, 2, 2}, request(2, 1, {3}), true, {1, 1, 3}, 3, 0},
      {"half known, half conflict", {1, 1, 2, 2}, request(1, 1, {1, 2, 4}), true, {1, 1, 2, 4}, 4, 0},
      {"from the start", {1}, request(0, 0, {1, 3}), true, {1, 3}, 2, 0},
      {"nothing at prev", {1, 1}, request(5, 3, {3}), false, {1, 1}, 0, 2},
      {"another term at prev", {1, 1, 4, 4}, request(4, 2, {5}), false, {1, 1, 4, 4}, 0, 2},
      {"an older term at prev", {1, 1, 2, 2}, request(4, 3, {5}), false, {1, 1, 2, 2}, 0, 3},
  };
  for (const auto& row : table) {
    INFO(row.what);
    auto state = test::state_with(row.log, {9, {}});
    output out;
    const auto response = accept_entries(row.incoming, state, out);
    CHECK(response.success == row.success);
    CHECK(response.match == row.match);
    CHECK(response.round == 17);
    CHECK(response.prev_index == row.incoming.prev_index);
    CHECK(terms_of(state.log()) == row.after);
    if (!row.success) {
      CHECK(response.hint_index == row.hint_index);
      CHECK(response.hint_index < row.incoming.prev_index);
      CHECK(state.log().term_at(response.hint_index) == response.hint_term);
      CHECK_FALSE(out.write_now);
    }
  }
}

TEST_CASE("5.3: the commit index advances only as far as the logs surely agree") {
  auto state = test::state_with({1, 1, 1, 1}, {9, {}});
  output out;
  accept_entries(request(2, 1, {}, 4), state, out);
  CHECK(state.commit() == 2);
  accept_entries(request(3, 1, {}, 2), state, out);
  CHECK(state.commit() == 2);
  accept_entries(request(4, 1, {2}, 100), state, out);
  CHECK(state.commit() == 5);
}

TEST_CASE("a committed entry is never truncated") {
  auto state = test::state_with({1, 1, 1}, {9, {}});
  output out;
  accept_entries(request(3, 1, {}, 3), state, out);
  CHECK_THROWS_AS(accept_entries(request(1, 1, {2}), state, out), std::logic_error);
}

TEST_CASE("a request that no leader could send is not well formed") {
  CHECK(well_formed(request(3, 2, {2, 4, 9})));
  CHECK(well_formed(request(0, 0, {})));
  CHECK_FALSE(well_formed(request(3, 2, {4, 3})));
  CHECK_FALSE(well_formed(request(3, 2, {1})));
  CHECK_FALSE(well_formed(request(3, 2, {10})));
  CHECK_FALSE(well_formed(request(3, 10, {})));
  auto gap = request(3, 2, {4, 4});
  gap.entries[1].index = 6;
  CHECK_FALSE(well_formed(gap));
  auto bad = request(3, 2, {4});
  bad.entries[0].kind = entry_kind::configuration;
  CHECK_FALSE(well_formed(bad));
  // All logs agree at 0, where there is no term.
  CHECK_FALSE(well_formed(request(0, 1, {})));
}

TEST_CASE("a request that is not well formed changes nothing") {
  follower f{test::state_with({1}, {1, {}})};
  const auto now = time_point{std::chrono::seconds{100}};
  f.start(now);
  const auto out = f.step(rpc{request(1, 1, {5, 4})}, now);
  CHECK(out.send_now.empty());
  CHECK_FALSE(out.write_now);
  CHECK(f.state().term() == 1);
}

TEST_CASE("figure 7: two random logs converge, despite reordered and repeated requests") {
  prng random{11};
  for (int round = 0; round < 2000; ++round) {
    // The tails have different terms: as in real logs, an equal term at an index implies an equal history.
    const auto grow = [&](std::vector<term_t> log, term_t parity) {
      for (auto n = random.next() % 6; n > 0; --n) {
        auto term = log.back() + random.next() % 3;
        log.push_back(term % 2 == parity ? term : term + 1);
      }
      return log;
    };
    const auto common = grow({1}, 1);
    const auto leader = grow(common, 0);
    auto state = test::state_with(grow(common, 1), {90, {}});
    const auto chunk = [&](index_t prev, std::size_t count) {
      const auto end = std::min<std::size_t>(leader.size(), prev + count);
      return request(
          prev, prev == 0 ? 0 : leader[prev - 1],
          {leader.begin() + static_cast<std::ptrdiff_t>(prev), leader.begin() + static_cast<std::ptrdiff_t>(end)}, 0,
          100);
    };
    // Each acknowledgement must be true when it is given, and stay true under all later requests of this leader.
    index_t promised = 0;
    for (int i = 0; i < 20; ++i) {
      output out;
      const auto response = accept_entries(chunk(random.next() % (leader.size() + 1), random.next() % 4), state, out);
      if (response.success) promised = std::max(promised, response.match);
      for (index_t k = 1; k <= promised; ++k) REQUIRE(state.log().term_at(k) == leader[k - 1]);
    }
    output out;
    REQUIRE(accept_entries(chunk(0, leader.size()), state, out).success);
    for (index_t k = 1; k <= leader.size(); ++k) REQUIRE(state.log().term_at(k) == leader[k - 1]);
  }
}

TEST_CASE("compacted log: requests that start below its beginning, end at it, or start at it") {
  options o;
  o.log_tail = 0;
  node_state s{node_id{1}, test::cluster, o, 42, test::disk_with({1, 1, 1}, {1, {}})};
  output out;
  s.commit_to(3);
  s.release_commits(out);
  s.note_taken({{2, 1}, 2});
  s.compact(out);
  REQUIRE(s.log().start().index == 2);
  const auto ask = [&](index_t prev, term_t term, std::vector<entry> entries) {
    output nothing;
    const auto answer = accept_entries({test::from(2, 1), prev, term, 3, 0, std::move(entries)}, s, nothing);
    CHECK_FALSE(nothing.write_now);
    return answer;
  };
  CHECK(ask(0, 0, {}).match == 0);
  CHECK(ask(1, 1, {}).match == 1);
  CHECK(ask(1, 1, {test::command(2, 1)}).match == 2);
  CHECK(ask(0, 0, {test::command(1, 1), test::command(2, 1), test::command(3, 1)}).match == 3);
  CHECK(ask(2, 1, {test::command(3, 1)}).match == 3);
  const auto beyond = ask(9, 1, {});
  CHECK_FALSE(beyond.success);
  CHECK(beyond.hint_index == 3);
  CHECK(beyond.hint_term == 1);
}

} // namespace troupe::raft

// node_state: when writes are durable, and that validate detects each broken rule.
#include "raft/node_state.hpp"

#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using Catch::Matchers::Contains;

void breaks(const node_state& state, const output& out, const char* rule) {
  CHECK_THROWS_WITH(state.validate(out), Contains(rule));
}

append_response promise(const node_state& s) {
  append_response r;
  r.head = s.to(node_id{2});
  r.success = true;
  return r;
}

} // namespace

TEST_CASE("one step is one write, numbered without gaps") {
  auto s = test::state_with({1}, {1, {}});
  output first;
  s.set_hard(first, 2, {});
  s.set_hard(first, 2, node_id{3});
  s.append(first, test::command(2, 2));
  CHECK(first.write_now->number == 1);
  CHECK(first.write_now->hard == hard_state{2, node_id{3}});
  output second;
  s.append(second, test::command(3, 2));
  CHECK(second.write_now->number == 2);
  CHECK_NOTHROW(s.validate(second));
}

TEST_CASE("a write is durable when the disk has reported it") {
  auto s = test::state_with({1, 1}, {1, {}});
  CHECK(s.durable_index() == 2);
  output out;
  s.append(out, test::command(3, 1));
  output more;
  s.set_hard(more, 2, {});
  s.append(more, test::command(4, 2));
  CHECK(s.durable_index() == 2);
  s.persisted_to({1, 3, 1});
  CHECK(s.durable_index() == 3);
  CHECK(s.durable_hard().term == 1);
  s.persisted_to({2, 4, 2});
  CHECK(s.durable_index() == 4);
  CHECK(s.durable_hard().term == 2);
  CHECK(s.all_durable());
  // A repeated or late report.
  s.persisted_to({1, 3, 1});
  CHECK(s.durable_index() == 4);
}

TEST_CASE("a late mark of a truncated entry does not count for its replacement") {
  auto s = test::state_with({1}, {1, {}});
  output first;
  for (index_t i = 2; i <= 5; ++i) s.append(first, test::command(i, 1));
  output second;
  s.truncate_from(second, 3);
  for (index_t i = 3; i <= 5; ++i) s.append(second, test::command(i, 2));
  s.persisted_to({1, 5, 1});
  CHECK(s.durable_index() == 2);
  s.persisted_to({2, 5, 2});
  CHECK(s.durable_index() == 5);
}

TEST_CASE("a truncation lowers the durable index at once") {
  auto s = test::state_with({1, 1, 1}, {1, {}});
  output out;
  s.truncate_from(out, 2);
  CHECK(s.durable_index() == 1);
}

TEST_CASE("committed entries are released once, whether or not the node's own disk has them") {
  auto s = test::state_with({1}, {1, {}});
  output out;
  s.append(out, test::command(2, 1));
  s.append(out, test::command(3, 1));
  s.commit_to(2);
  s.release_commits(out);
  CHECK(out.commit_to == index_t{2});
  CHECK(s.durable_index() == 1);
  CHECK_NOTHROW(s.validate(out));
  s.commit_to(3);
  output later;
  s.release_commits(later);
  CHECK(later.commit_to == index_t{3});
  s.persisted_to({1, 3, 1});
  output last;
  s.commit_to(2);
  s.release_commits(last);
  CHECK_FALSE(last.commit_to);
}

TEST_CASE("broken invariants throw") {
  auto s = test::state_with({1, 1}, {3, node_id{2}});
  output out;
  CHECK_THROWS_WITH(s.set_hard(out, 2, {}), Contains("a term never falls"));
  CHECK_THROWS_WITH(s.set_hard(out, 3, node_id{1}), Contains("one vote per term"));
  CHECK_THROWS_WITH(s.set_hard(out, 3, {}), Contains("one vote per term"));
  CHECK_THROWS_WITH(s.persisted_to({1, 2, 1}), Contains("only writes that were handed over"));
  s.commit_to(2);
  CHECK_THROWS_WITH(s.truncate_from(out, 2), Contains("committed entry is never truncated"));
  auto t = test::state_with({1}, {1, {}});
  output late;
  t.append(late, test::command(2, 1));
  CHECK_THROWS_WITH(t.truncate_from(late, 2), Contains("truncates before it appends"));
  CHECK_THROWS_WITH(t.persisted_to({1, 2, 9}), Contains("has the same term"));
}

TEST_CASE("validate: nothing of a term leaves before the term is durable") {
  auto s = test::state_with({1}, {1, {}});
  output out;
  s.set_hard(out, 2, {});
  vote_request real{s.to(node_id{2}), 1, 1, false};
  out.send_now = {real};
  breaks(s, out, "before the term is durable");
  // A pre-vote is not binding.
  vote_request pre{s.to(node_id{2}), 1, 1, true};
  out.send_now = {pre};
  CHECK_NOTHROW(s.validate(out));
  out.send_now.clear();
  out.send_after_persist = {real};
  CHECK_NOTHROW(s.validate(out));
}

TEST_CASE("validate: a promise waits for the disk") {
  auto s = test::state_with({1}, {1, {}});
  output out;
  out.send_now = {promise(s)};
  CHECK_NOTHROW(s.validate(out));
  s.append(out, test::command(2, 1));
  breaks(s, out, "a promise waits for the disk");
  output vote;
  vote.send_now = {vote_response{s.to(node_id{2}), false, true}};
  breaks(s, vote, "a promise waits for the disk");
}

TEST_CASE("entries that the node's own disk lacks stay in memory") {
  options opts;
  opts.cache_bytes = 0;
  node_state s{node_id{1}, test::cluster, opts, 42, test::disk_with({1}, {1, {}})};
  output out;
  s.append(out, test::command(2, 1));
  s.commit_to(2);
  s.release_commits(out);
  output second;
  s.append(second, test::command(3, 1));
  s.commit_to(3);
  s.release_commits(second);
  CHECK(s.log().first_cached() == 2);
  s.persisted_to({2, 3, 1});
  output third;
  s.append(third, test::command(4, 1));
  s.commit_to(4);
  s.release_commits(third);
  CHECK(s.log().first_cached() == 4);
}

TEST_CASE("validate: only committed entries are applied") {
  auto s = test::state_with({1, 1, 1}, {1, {}});
  output out;
  out.commit_to = 2;
  breaks(s, out, "only committed entries");
  s.commit_to(3);
  output fine;
  s.release_commits(fine);
  CHECK_NOTHROW(s.validate(fine));
  fine.commit_to = 2;
  breaks(s, fine, "only committed entries");
}

TEST_CASE("validate: commit lies within the log, writes have no gaps, no message waits without a pending write") {
  auto s = test::state_with({1}, {1, {}});
  output out;
  s.append(out, test::command(2, 1));
  out.write_now->number = 7;
  breaks(s, out, "numbered without gaps");
  auto t = test::state_with({1}, {1, {}});
  output waiting;
  waiting.send_after_persist = {promise(t)};
  breaks(t, waiting, "waits for a write");
  t.commit_to(9);
  breaks(t, output{}, "commit index lies within the log");
}

} // namespace troupe::raft

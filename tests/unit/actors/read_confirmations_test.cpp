// The requests for a read index that wait for an answer.
#include "actors/frontend/read_confirmations.hpp"

#include <catch2/catch.hpp>

namespace troupe {
namespace {

const raft::time_point start{std::chrono::seconds{1000}};

confirmation asked(node_id by, raft::time_point deadline = start) {
  confirmation question;
  question.by = by;
  question.deadline = deadline;
  question.remotes.emplace_back().number = by.value;
  return question;
}

TEST_CASE("a request is answered once") {
  read_confirmations table;
  CHECK(table.empty());
  table.add(7, asked({1}));
  REQUIRE(table.find(7));
  CHECK(table.find(7)->by == node_id{1});
  CHECK(!table.find(8));
  CHECK(table.take(7));
  CHECK(!table.take(7));
  CHECK(table.empty());
}

TEST_CASE("the requests to a lost node are found in the order in which they were sent") {
  read_confirmations table;
  for (const raft::tag_t number : {9U, 3U, 5U, 4U}) table.add(number, asked({number == 4 ? 2U : 1U}));
  CHECK(table.asked_of({1}) == std::vector<raft::tag_t>{3, 5, 9});
  CHECK(table.asked_of({2}) == std::vector<raft::tag_t>{4});
  CHECK(table.asked_of({3}).empty());
}

TEST_CASE("a request ends at its deadline, or when the proxy ends") {
  read_confirmations table;
  table.add(1, asked({1}, start));
  table.add(2, asked({2}, start + std::chrono::seconds{1}));
  table.expire(start);
  CHECK(!table.find(1));
  CHECK(table.find(2));
  const auto remotes = table.take_remotes();
  REQUIRE(remotes.size() == 1);
  CHECK(remotes.front().number == 2);
  CHECK(table.empty());
}

} // namespace
} // namespace troupe

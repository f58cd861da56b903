// Without a majority, every request is still answered by its deadline.
#include "tests/process/cluster.hpp"

#include <catch2/catch.hpp>

using namespace troupe::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

struct timed {
  troupe::http::result answer;
  milliseconds took;
};

timed call(const server& node, std::string_view method, const std::string& target, std::string_view body = {}) {
  const auto began = steady_clock::now();
  auto answer = node.call(method, target, body);
  return {std::move(answer), std::chrono::duration_cast<milliseconds>(steady_clock::now() - began)};
}

/// How long after its deadline an answer may arrive on a busy machine.
constexpr auto slack = 300ms;

void check_fails(const server& node, milliseconds timeout) {
  const auto query = "?timeout=" + std::to_string(timeout.count()) + "ms";
  const auto write = call(node, "PUT", "/v1/maps/m/k" + query, "2");
  CAPTURE(write.answer.body, write.took.count(), timeout.count());
  CHECK((write.answer.status == 503 || write.answer.status == 504));
  CHECK(write.took < timeout + slack);
  const auto error = json::parse(write.answer.body);
  CHECK(error["outcome"] == (write.answer.status == 504 ? "unknown" : "rejected"));
  CHECK(error["retryable"] == true);

  const auto read = call(node, "GET", "/v1/maps/m/k" + query);
  CAPTURE(read.answer.body, read.took.count());
  CHECK(read.answer.status == 503);
  CHECK(json::parse(read.answer.body)["outcome"] == "rejected");
  CHECK(read.took < timeout + slack);
}

void check_local_answers(const server& node) {
  CHECK(node.call("GET", "/livez").status == 200);
  CHECK(node.call("GET", "/status").status == 200);
  CHECK(node.get("k", "stale") == 1);
  wait_for("an error from /readyz", 5s, [&] { return !node.ready(); });
}

void check_without_majority(bool leader_survives) {
  ready_cluster nodes{3};
  const auto leader = nodes.wait_ready();
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].put("k", 1);
  const auto survivor = leader_survives ? leader : (leader + 1) % nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (i != survivor) nodes[i].process().kill();
  // First while the node has not noticed the loss of the majority, then when it has.
  for (const auto timeout : {200ms, 1000ms, 200ms}) check_fails(nodes[survivor], timeout);
  check_local_answers(nodes[survivor]);
}

} // namespace

TEST_CASE("a leader without followers answers by the deadline") { check_without_majority(true); }

TEST_CASE("a lone follower answers by the deadline") { check_without_majority(false); }

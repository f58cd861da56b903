// How often a replicator sends to a peer whose responses make no progress.
#include "tests/unit/raft/replicator_answers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>

namespace troupe::raft {
namespace {

using test::say;

const time_point start{std::chrono::seconds{100}};

/// A peer whose disk lost the end of its log and has `last` entries left, all of term 1.
struct forgetful_peer {
  index_t last = 0;

  append_response answer(const append_request& m) {
    const auto end = m.prev_index + m.entries.size();
    auto r = m.prev_index > last ? say(false, m.prev_index, last) : say(true, end);
    if (r.success) last = std::max<index_t>(last, end);
    r.session = m.session;
    return r;
  }
};

} // namespace

TEST_CASE("a peer that denies what it acknowledged is not probed faster than by heartbeats") {
  constexpr index_t end = 10;
  replicator r{{{}, {test::cluster, node_id{1}, node_id{2}, 1}, end, 1, 9, 0}};
  r.start(start);
  r.step(say(true, 9), start);
  REQUIRE(r.match() == 9);
  forgetful_peer peer{4};
  auto now = start;
  std::size_t requests = 0, steps = 0;
  // Responses take no time, so only the replicator itself can slow this down.
  const auto answer_all = [&](const replicator_output& first) {
    for (std::deque<replicator_output> todo{first}; !todo.empty() && steps < 1000; todo.pop_front()) {
      ++steps;
      const auto out = todo.front();
      for (const auto& m : out.send) {
        ++requests;
        todo.push_back(r.step(peer.answer(m), now));
      }
      if (!out.fetch) continue;
      const auto prev = std::min<index_t>(out.fetch->first - 1, end);
      fetched found{prev + 1, prev == 0 ? term_t{0} : term_t{1}, {}, false};
      for (auto i = prev + 1; i <= end; ++i) found.entries.push_back(test::command(i, 1));
      todo.push_back(r.step(found, now));
    }
  };
  constexpr int heartbeats = 20;
  for (int i = 0; i < heartbeats; ++i) {
    now = r.deadline();
    answer_all(r.step(tick{}, now));
  }
  CHECK(requests < 3 * heartbeats);
  CHECK(steps < 1000); // requests for the leader's log count as well
}

} // namespace troupe::raft

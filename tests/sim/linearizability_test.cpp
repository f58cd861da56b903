// The history checker against one that tries every order.
#include "tests/sim/linearizability.hpp"

#include "raft/base/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

namespace troupe::sim {
namespace {

/// Tries all orders of all subsets that contain all operations with a result.
bool explained(const std::vector<operation>& history) {
  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    for (unsigned skipped = 0; skipped < 1u << history.size(); ++skipped) {
      std::uint64_t cell = 0;
      bool fits = true;
      for (std::size_t i = 0; i < order.size() && fits; ++i) {
        const auto& op = history[order[i]];
        if (skipped >> order[i] & 1) {
          fits = !op.result;
          continue;
        }
        for (std::size_t later = i + 1; later < order.size(); ++later) {
          const auto& other = history[order[later]];
          if (!(skipped >> order[later] & 1) && other.result && other.end < op.begin) fits = false;
        }
        const auto got = execute(op.what, cell);
        if (op.result && !(got == *op.result)) fits = false;
      }
      if (fits) return true;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

operation op(action what, std::uint64_t value, int begin, int end, std::uint64_t result, std::uint64_t expected = 0) {
  return {{what, 1, value, expected}, raft::duration{begin}, raft::duration{end}, answer{result}};
}
operation unknown(action what, std::uint64_t value, int begin, std::uint64_t expected = 0) {
  return {{what, 1, value, expected}, raft::duration{begin}, {}, std::nullopt};
}

std::vector<operation> random_history(raft::prng& random) {
  std::vector<operation> history;
  const auto size = 1 + random.next() % 5;
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto begin = static_cast<int>(random.next() % 8);
    const auto end = begin + static_cast<int>(random.next() % 5);
    const auto what = static_cast<action>(random.next() % 4);
    const auto value = i + 1;
    const auto expected = random.next() % 4;
    if (random.next() % 4 == 0) {
      history.push_back(unknown(what, value, begin, expected));
    } else {
      history.push_back(op(what, value, begin, end, what == action::put ? value : random.next() % 4, expected));
    }
    if (what == action::append && random.next() % 2 == 0) {
      std::uint64_t cell = random.next() % 3;
      const auto result = execute(history.back().what, cell);
      if (history.back().result) history.back().result = result;
    }
  }
  return history;
}

} // namespace

TEST_CASE("known good and bad histories") {
  const auto judge = [](std::vector<operation> h) { return check_register(std::move(h)); };
  CHECK(judge({}) == verdict::linearizable);
  CHECK(judge({op(action::put, 5, 0, 1, 5), op(action::read, 0, 2, 3, 5)}) == verdict::linearizable);
  // A stale read.
  CHECK(judge({op(action::put, 5, 0, 1, 5), op(action::read, 0, 2, 3, 0)}) == verdict::broken);
  // Concurrent operations: both orders are right.
  CHECK(judge({op(action::put, 5, 0, 4, 5), op(action::read, 0, 2, 3, 0)}) == verdict::linearizable);
  // Two reads that saw a write come and go.
  CHECK(judge({op(action::put, 5, 0, 9, 5), op(action::read, 0, 1, 2, 5), op(action::read, 0, 3, 4, 0)}) ==
        verdict::broken);
  // A lost write.
  CHECK(judge({op(action::put, 5, 0, 1, 5), op(action::put, 6, 2, 3, 6), op(action::read, 0, 4, 5, 5)}) ==
        verdict::broken);
  // Two winners of one compare-and-swap.
  CHECK(judge({op(action::cas, 5, 0, 1, 0), op(action::cas, 6, 2, 3, 0)}) == verdict::broken);
  CHECK(judge({op(action::cas, 5, 0, 1, 0), op(action::cas, 6, 2, 3, 5)}) == verdict::linearizable);
  // Unknown outcome: the operation may happen late or never, but not before it began.
  CHECK(judge({unknown(action::put, 5, 0), op(action::read, 0, 8, 9, 5)}) == verdict::linearizable);
  CHECK(judge({unknown(action::put, 5, 0), op(action::read, 0, 8, 9, 0)}) == verdict::linearizable);
  CHECK(judge({unknown(action::put, 5, 5), op(action::read, 0, 1, 2, 5)}) == verdict::broken);
  CHECK(judge({unknown(action::put, 5, 0), op(action::read, 0, 1, 2, 5), op(action::read, 0, 3, 4, 0)}) ==
        verdict::broken);
}

TEST_CASE("the search agrees with trying every order") {
  raft::prng random{20};
  int good = 0;
  int bad = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto history = random_history(random);
    const bool fine = explained(history);
    ++(fine ? good : bad);
    INFO("round " << round);
    REQUIRE((check_register(history) == verdict::linearizable) == fine);
  }
  CHECK(good > 1000);
  CHECK(bad > 1000);
}

TEST_CASE("a search that takes too long reports that") {
  std::vector<operation> history;
  for (std::uint64_t i = 1; i <= 40; ++i) history.push_back(unknown(action::append, i, 0));
  history.push_back(op(action::read, 0, 1, 2, 4711));
  CHECK(check_register(history, 1000) == verdict::undecided);
}

} // namespace troupe::sim

// log_view against a plain vector.
#include "raft/log_view.hpp"

#include "raft/random.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

struct oracle {
  std::vector<entry> all; ///< all[0] has index 1

  index_t last_at_or_below(index_t index, term_t term) const {
    for (auto i = std::min<index_t>(index, all.size()); i > 0; --i)
      if (all[i - 1].term <= term) return i;
    return 0;
  }
  index_t configuration_index() const {
    for (auto i = all.size(); i > 0; --i)
      if (all[i - 1].kind == entry_kind::configuration) return i;
    return 0;
  }
};

void compare(const log_view& log, const oracle& truth, prng& random) {
  REQUIRE(log.last_index() == truth.all.size());
  REQUIRE(log.last_term() == (truth.all.empty() ? 0 : truth.all.back().term));
  REQUIRE(log.configuration_index() == truth.configuration_index());
  REQUIRE(log.term_at(0) == term_t{0});
  REQUIRE_FALSE(log.term_at(log.last_index() + 1));
  for (index_t i = 1; i <= truth.all.size(); ++i) REQUIRE(log.term_at(i) == truth.all[i - 1].term);
  const auto index = random.next() % (truth.all.size() + 3);
  const auto term = random.next() % 12;
  REQUIRE(log.last_at_or_below(index, term) == truth.last_at_or_below(index, term));
  const auto first = 1 + random.next() % (truth.all.size() + 2);
  const auto last = first + random.next() % 5;
  const auto limit = random.next() % 200;
  const auto part = log.slice(first, last, limit);
  if (first < log.first_cached() || first > truth.all.size()) {
    REQUIRE(part.empty());
    return;
  }
  REQUIRE(!part.empty());
  std::size_t cost = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    REQUIRE(part[i] == truth.all[first - 1 + i]);
    cost += part[i].cost();
  }
  REQUIRE((part.size() == 1 || cost <= limit));
  const bool all = part.back().index == std::min<index_t>(last, truth.all.size());
  REQUIRE((all || cost + truth.all[part.back().index].cost() > limit));
}

} // namespace

TEST_CASE("a log view tells what a vector of entries tells") {
  prng random{3};
  for (int round = 0; round < 50; ++round) {
    log_view log;
    oracle truth;
    for (int step = 0; step < 120; ++step) {
      const auto dice = random.next() % 10;
      if (dice < 7) {
        const auto term = std::max<term_t>(1, log.last_term() + (random.next() % 4 == 0 ? random.next() % 3 : 0));
        auto e = test::command(log.last_index() + 1, term, std::string(random.next() % 40, 'x'));
        if (random.next() % 8 == 0) {
          e.kind = entry_kind::configuration;
          e.data = bytes{encode(test::voters(1 + random.next() % 5))};
        }
        log.append(e);
        truth.all.push_back(e);
      } else if (dice < 8 && log.last_index() > 0) {
        const auto from = 1 + random.next() % log.last_index();
        log.truncate_from(from);
        truth.all.resize(from - 1);
      } else {
        const auto limit = random.next() % (log.last_index() + 1);
        const auto before = log.first_cached();
        log.evict(limit, random.next() % 500);
        REQUIRE(log.first_cached() >= before);
        REQUIRE(log.first_cached() <= std::max(before, limit + 1));
      }
      compare(log, truth, random);
    }
  }
}

TEST_CASE("a recovered log has every term and no data") {
  const log_view log{test::disk_with({1, 1, 4, 4, 6}, {6, {}})};
  CHECK(log.last_index() == 5);
  CHECK(log.term_at(2) == term_t{1});
  CHECK(log.term_at(3) == term_t{4});
  CHECK(log.last_term() == 6);
  CHECK(log.first_cached() == 6);
  CHECK(log.slice(1, 5, 1000).empty());
  CHECK(log.current() == test::voters(3));
}

TEST_CASE("a truncation brings the configuration before back") {
  log_view log{test::disk_with({1}, {1, {}})};
  log.append({2, 1, entry_kind::configuration, bytes{encode(test::voters(5))}});
  CHECK(log.current() == test::voters(5));
  log.truncate_from(2);
  CHECK(log.current() == test::voters(3));
}

TEST_CASE("entries out of order are refused") {
  log_view log;
  log.append(test::command(1, 3));
  CHECK_THROWS_AS(log.append(test::command(3, 3)), std::logic_error);
  CHECK_THROWS_AS(log.append(test::command(2, 2)), std::logic_error);
}

} // namespace troupe::raft

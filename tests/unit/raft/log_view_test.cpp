// log_view against a plain vector.
#include "raft/log_view.hpp"

#include "raft/base/random.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

/// Keeps all entries, and searches linearly from the end.
struct oracle {
  std::vector<entry> all; ///< all[0] has index 1; entries before a reset are filled with placeholders
  log_position start;
  /// The configuration in force at `start`, if any.
  std::optional<std::pair<index_t, configuration>> base;

  index_t last() const { return all.size(); }
  std::optional<term_t> term_at(index_t index) const {
    if (index == 0) return 0;
    if (index < start.index || index > last()) return std::nullopt;
    return index == start.index ? start.term : all[index - 1].term;
  }
  index_t last_at_or_below(index_t index, term_t term) const {
    for (auto i = std::min(index, last()); i > start.index; --i)
      if (all[i - 1].term <= term) return i;
    return start.index;
  }
  std::pair<index_t, configuration> newest(index_t up_to) const {
    for (auto i = std::min(up_to, last()); i > start.index; --i)
      if (all[i - 1].kind == entry_kind::configuration) return {i, *decode_configuration(all[i - 1].data.view())};
    return base.value_or(std::pair<index_t, configuration>{});
  }
  void compact(index_t up_to) {
    if (const auto held = newest(up_to); held.first > 0) base = held;
    start = {up_to, *term_at(up_to)};
  }
  void reset(const snapshot_point& at) {
    all.assign(at.last.index, {});
    start = at.last;
    base = {at.configuration_index, at.members};
  }
  /// What a storage recovers from it, if its newest snapshot is at `at`.
  recovered disk(index_t at) const {
    recovered found;
    found.last_index = last();
    found.start = start;
    for (auto i = start.index + 1; i <= last(); ++i) {
      const auto& e = all[i - 1];
      if (found.terms.empty() || found.terms.back().term != e.term) found.terms.push_back({i, e.term});
      if (e.kind == entry_kind::configuration) found.configurations.push_back(e);
    }
    const auto [index, members] = newest(at);
    if (at > 0) found.snapshot = snapshot_point{{at, *term_at(at)}, index, members};
    return found;
  }
};

void compare_shape(const log_view& log, const oracle& truth, prng& random) {
  REQUIRE(log.start() == truth.start);
  REQUIRE(log.last_index() == truth.last());
  REQUIRE(log.last_term() == truth.term_at(truth.last()));
  REQUIRE(log.configuration_index() == truth.newest(truth.last()).first);
  REQUIRE(log.current() == truth.newest(truth.last()).second);
  for (index_t i = 0; i <= truth.last() + 1; ++i) REQUIRE(log.term_at(i) == truth.term_at(i));
  const auto index = random.next() % (truth.last() + 3);
  const auto term = random.next() % 12;
  REQUIRE(log.last_at_or_below(index, term) == truth.last_at_or_below(index, term));
}

void compare(const log_view& log, const oracle& truth, prng& random) {
  compare_shape(log, truth, random);
  REQUIRE(log.first_cached() > truth.start.index);
  const auto first = 1 + random.next() % (truth.last() + 2);
  const auto last = first + random.next() % 5;
  const auto limit = random.next() % 200;
  const auto part = log.slice(first, last, limit);
  if (first < log.first_cached() || first > truth.last()) {
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
  const bool all = part.back().index == std::min(last, truth.last());
  REQUIRE((all || cost + truth.all[part.back().index].cost() > limit));
}

configuration some_voters(prng& random) { return test::voters(1 + random.next() % 5); }

/// A log view and its oracle. Each step does the same random operation to both.
struct pair_of_logs {
  log_view log;
  oracle truth;

  void append(prng& random) {
    const auto term = std::max<term_t>(1, log.last_term() + (random.next() % 4 == 0 ? random.next() % 3 : 0));
    auto e = test::command(log.last_index() + 1, term, std::string(random.next() % 40, 'x'));
    if (random.next() % 8 == 0) {
      e.kind = entry_kind::configuration;
      e.data = bytes{encode(some_voters(random))};
    }
    log.append(e);
    truth.all.push_back(e);
  }
  void truncate(prng& random) {
    const auto behind = log.last_index() - log.start().index;
    if (behind == 0) return;
    const auto from = log.start().index + 1 + random.next() % behind;
    log.truncate_from(from);
    truth.all.resize(from - 1);
  }
  void evict(prng& random) {
    const auto limit = random.next() % (log.last_index() + 1);
    const auto before = log.first_cached();
    log.evict(limit, random.next() % 500);
    REQUIRE(log.first_cached() >= before);
    REQUIRE(log.first_cached() <= std::max(before, limit + 1));
  }
  void compact(prng& random) {
    const auto up_to = log.start().index + random.next() % (log.last_index() - log.start().index + 1);
    const auto kept = std::max(log.first_cached(), up_to + 1);
    log.compact(up_to);
    truth.compact(up_to);
    REQUIRE(log.first_cached() == kept);
  }
  void reset(prng& random) {
    const auto index = log.start().index + 1 + random.next() % (log.last_index() - log.start().index + 10);
    const snapshot_point at{{index, 1 + random.next() % 12}, 1 + random.next() % index, some_voters(random)};
    log.reset(at);
    truth.reset(at);
  }
};

} // namespace

TEST_CASE("a log view agrees with a vector of entries") {
  prng random{3};
  for (int round = 0; round < 60; ++round) {
    pair_of_logs both;
    // In the first rounds the log is never compacted.
    const auto kinds = round < 20 ? 17u : 20u;
    for (int step = 0; step < 120; ++step) {
      const auto dice = random.next() % kinds;
      if (dice < 12)
        both.append(random);
      else if (dice < 14)
        both.truncate(random);
      else if (dice < 17)
        both.evict(random);
      else if (dice < 19)
        both.compact(random);
      else
        both.reset(random);
      compare(both.log, both.truth, random);
      const auto behind = both.truth.last() - both.truth.start.index;
      const auto at = both.truth.start.index + random.next() % (behind + 1);
      compare_shape(log_view{both.truth.disk(at)}, both.truth, random);
    }
  }
}

TEST_CASE("a compaction never goes back and never beyond the log") {
  log_view log{test::disk_with({1, 1, 4, 4, 6}, {6, {}})};
  log.compact(4);
  CHECK_THROWS_AS(log.compact(0), std::logic_error);
  CHECK_THROWS_AS(log.compact(3), std::logic_error);
  CHECK_THROWS_AS(log.compact(6), std::logic_error);
  CHECK(log.start() == log_position{4, 4});
  log.compact(4);
  log.compact(5);
  CHECK(log.last_term() == 6);
}

TEST_CASE("a recovered log has all terms and no data") {
  const log_view log{test::disk_with({1, 1, 4, 4, 6}, {6, {}})};
  CHECK(log.last_index() == 5);
  CHECK(log.term_at(2) == term_t{1});
  CHECK(log.term_at(3) == term_t{4});
  CHECK(log.last_term() == 6);
  CHECK(log.first_cached() == 6);
  CHECK(log.slice(1, 5, 1000).empty());
  CHECK(log.current() == test::voters(3));
}

TEST_CASE("a truncation restores the previous configuration") {
  log_view log{test::disk_with({1}, {1, {}})};
  log.append({2, 1, entry_kind::configuration, bytes{encode(test::voters(5))}});
  CHECK(log.current() == test::voters(5));
  log.truncate_from(2);
  CHECK(log.current() == test::voters(3));
}

TEST_CASE("a node may count as long as a configuration that includes it may be in force") {
  log_view log{test::disk_with({1}, {1, {}}, 2)};
  CHECK(log.previous().empty());
  log.append({2, 1, entry_kind::configuration, bytes{encode(test::voters(4))}});
  log.append({3, 1, entry_kind::configuration, bytes{encode(test::voters(3))}});
  CHECK(log.previous() == test::voters(4));
  // With commit 1, any of the three may be in force; with 2, one of the last two; with 3, the last one.
  for (index_t commit = 0; commit <= 4; ++commit) {
    CHECK(log.may_count(node_id{3}, commit));
    CHECK(log.may_count(node_id{4}, commit) == (commit <= 2));
    CHECK_FALSE(log.may_count(node_id{5}, commit));
  }
  log.truncate_from(3);
  CHECK(log.previous() == test::voters(2));
  CHECK(log.may_count(node_id{4}, 4));
  log.compact(2);
  CHECK(log.current() == test::voters(4));
  CHECK(log.previous().empty());
  CHECK_FALSE(log_view{}.may_count(node_id{1}, 0));
}

TEST_CASE("entries out of order are refused") {
  log_view log;
  log.append(test::command(1, 3));
  CHECK_THROWS_AS(log.append(test::command(3, 3)), std::logic_error);
  CHECK_THROWS_AS(log.append(test::command(2, 2)), std::logic_error);
}

TEST_CASE("a log knows in which configuration a node was last, and which one followed") {
  const auto configured = [](index_t index, std::uint64_t count) {
    return entry{index, 1, entry_kind::configuration, bytes{encode(test::voters(count))}};
  };
  log_view log;
  const node_id three{3};
  CHECK(log.last_membership(three) == std::pair<index_t, const log_view::placed_configuration*>{0, nullptr});
  log.append(configured(1, 3));
  CHECK(log.last_membership(three).first == 1);
  CHECK_FALSE(log.last_membership(three).second);
  for (index_t i = 2; i <= 4; ++i) log.append(configured(i, 2));
  CHECK(log.last_membership(three).first == 1);
  REQUIRE(log.last_membership(three).second);
  CHECK(log.last_membership(three).second->first == 2);
  // It knows nothing of what was before.
  log.compact(3);
  CHECK(log.last_membership(three).first == 0);
  CHECK_FALSE(log.last_membership(three).second);
}

} // namespace troupe::raft

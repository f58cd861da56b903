// The log that a leader keeps for a peer that catches up from a snapshot, the tail that it keeps in any case, and the
// size of both.
#include "raft/role.hpp"

#include "raft/base/random.hpp"
#include "tests/unit/raft/elected.hpp"

#include <catch2/catch.hpp>

#include <map>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};
constexpr std::size_t entry_cost = 100'000;

options with_limits() {
  options o;
  o.log_tail = 2;
  o.log_tail_bytes = std::uint64_t{1} << 40;
  o.catch_up_log_bytes = 20 * entry_cost;
  o.catch_up_log_time = std::chrono::minutes{2};
  return o;
}

/// A leader of three in term 2. Node 2 responds at once; node 3 needs a snapshot.
class scene {
 public:
  explicit scene(options o = with_limits()) : leader_(elected(o)) {}

  /// Appends `count` commands, each of `entry_cost`, which are committed and released. Returns the output of the last
  /// step.
  output grow(int count) {
    propose more;
    for (; count > 0; --count) more.proposals.push_back({1, bytes{std::string(entry_cost - 32, 'x')}});
    leader_.step(more, now);
    leader_.step(persisted{test::all_of(leader_.state())}, now);
    return report(2, last());
  }
  /// This leader takes a snapshot at the end of its log; the one before is kept.
  output snapshot() {
    const snapshot_taken taken{{last(), 2}, std::exchange(newest_, last())};
    return leader_.step(taken, now);
  }
  output report(std::uint64_t peer, index_t match, std::optional<snapshot_transfer> transfer = {}) {
    peer_report r{2, node_id{peer}, match, 0, now};
    r.transfer = transfer;
    return leader_.step(r, now);
  }
  snapshot_transfer sent(std::uint64_t bytes) const { return {{{needs, 2}, 1000, 0xabc}, bytes}; }
  index_t last() const { return leader_.state().log().last_index(); }
  index_t start_of_log() const { return leader_.state().log().start().index; }
  /// Lets time pass. Node 2 keeps responding.
  output pass(duration time) {
    now += time;
    report(2, last());
    return leader_.step(tick{}, now);
  }
  leader& machine() { return leader_; }

  time_point now = start;
  /// The last index of the snapshot that node 3 receives.
  index_t needs = 0;

 private:
  static leader elected(const options& o) {
    follower f{node_state{node_id{1}, test::cluster, o, 42, test::disk_with({1}, {1, {}}, 3)}};
    return test::elected(std::move(f), {2}, start);
  }

  leader leader_;
  index_t newest_ = 0;
};

/// A snapshot of the leader's is on its way to node 3.
scene sending(options o = with_limits()) {
  scene s{o};
  s.grow(10);
  s.snapshot();
  s.grow(1);
  s.snapshot();
  s.needs = s.last();
  s.report(3, 0, s.sent(0));
  s.grow(1);
  s.snapshot();
  return s;
}

} // namespace

TEST_CASE("the log after a snapshot is kept while it is sent, and until its receiver keeps up") {
  auto s = sending();
  for (std::uint64_t i = 0; i < 5; ++i) {
    s.grow(3);
    s.snapshot();
    s.pass(options{}.election_min);
    s.report(3, 0, s.sent(100 * (i + 1)));
    CHECK(s.start_of_log() <= s.needs);
  }
  const auto all = s.machine().transfers(s.now);
  REQUIRE(all.size() == 1);
  CHECK(all[0].peer == node_id{3});
  CHECK(all[0].arrived == 500);
  CHECK(all[0].snapshot.size == 1000);
  CHECK(all[0].sending);
  CHECK(all[0].log_bytes == 16 * entry_cost);
  // The snapshot is loaded; the entries that were logged meanwhile follow, which takes its time.
  s.report(3, s.needs);
  s.grow(3);
  s.snapshot();
  CHECK(s.start_of_log() <= s.needs);
  CHECK_FALSE(s.machine().transfers(s.now)[0].sending);
  s.now += options{}.election_min;
  CHECK_FALSE(s.report(3, s.last()).compact_to);
  const auto out = s.report(3, s.last());
  // The peer keeps up: nothing more is kept for it, and the log is compacted at once.
  CHECK(s.machine().transfers(s.now).empty());
  CHECK(out.compact_to == s.start_of_log());
  CHECK(s.start_of_log() > s.needs);
  CHECK(out.released_logs.empty());
}

TEST_CASE("the log is kept for a peer up to a number of bytes, and the end of that is reported") {
  auto s = sending();
  s.grow(19);
  CHECK(s.snapshot().released_logs.empty());
  s.grow(1);
  const auto out = s.snapshot();
  REQUIRE(out.released_logs.size() == 1);
  CHECK(out.released_logs[0].peer == node_id{3});
  CHECK(out.released_logs[0].why == log_limit::bytes);
  CHECK(out.released_logs[0].bytes > with_limits().catch_up_log_bytes);
  CHECK(s.start_of_log() > s.needs);
  // It is reported once. The next snapshot that is sent starts with new limits.
  s.grow(1);
  CHECK(s.snapshot().released_logs.empty());
  CHECK(s.machine().transfers(s.now)[0].log_bytes == 0);
  s.needs = s.last();
  s.report(3, 0, s.sent(0));
  s.grow(10);
  s.snapshot();
  s.grow(1);
  s.snapshot();
  CHECK(s.start_of_log() <= s.needs);
}

TEST_CASE("the log is kept for a peer for a limited time, however fast its chunks arrive") {
  auto s = sending();
  s.grow(5);
  s.snapshot();
  output out;
  std::uint64_t bytes = 0;
  int seconds = 0;
  for (; seconds < 300 && out.released_logs.empty(); ++seconds) {
    s.report(3, 0, s.sent(++bytes));
    out = s.pass(std::chrono::seconds{1});
  }
  REQUIRE(out.released_logs.size() == 1);
  CHECK(out.released_logs[0].why == log_limit::time);
  CHECK(seconds == 121);
}

TEST_CASE("the log is soon no longer kept for a peer that receives nothing more") {
  auto s = sending();
  s.grow(5);
  s.snapshot();
  output out;
  int seconds = 0;
  for (; seconds < 300 && out.released_logs.empty(); ++seconds) {
    s.report(3, 0, s.sent(10));
    out = s.pass(std::chrono::seconds{1});
  }
  REQUIRE(out.released_logs.size() == 1);
  CHECK(out.released_logs[0].why == log_limit::no_progress);
  CHECK(seconds < 40);
}

TEST_CASE("a peer that loads a complete snapshot makes progress") {
  auto s = sending();
  s.grow(5);
  s.snapshot();
  for (int seconds = 0; seconds < 100; ++seconds) {
    s.report(3, 0, s.sent(1000));
    CHECK(s.pass(std::chrono::seconds{1}).released_logs.empty());
  }
}

TEST_CASE("no limit is reported if no log was kept") {
  auto s = sending();
  // The peer has the whole log and needs only its state.
  s.report(3, s.last(), s.sent(10));
  s.grow(5);
  s.report(3, s.last(), s.sent(10));
  s.snapshot();
  for (int seconds = 0; seconds < 100; ++seconds) CHECK(s.pass(std::chrono::seconds{1}).released_logs.empty());
}

TEST_CASE("the tail of the log is bounded in bytes as well as in entries") {
  auto o = with_limits();
  o.log_tail = 10'000;
  o.log_tail_bytes = 5 * entry_cost;
  scene s{o};
  s.grow(50);
  s.snapshot();
  s.grow(50);
  s.snapshot();
  s.grow(50);
  s.snapshot();
  // The log must reach the older of two snapshots.
  CHECK(s.last() - s.start_of_log() == 50);
  s.grow(1);
  s.snapshot();
  CHECK(s.last() - s.start_of_log() <= 6);
  CHECK(s.last() - s.start_of_log() >= 4);
}

TEST_CASE("log_bytes against a plain sum") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    log_bytes sizes;
    std::map<index_t, std::size_t> all;
    index_t first = 0; // the log begins after this
    index_t last = 0;
    const auto sum = [&](index_t from, index_t to) {
      std::uint64_t bytes = 0;
      for (const auto& [index, cost] : all)
        if (index > from && index <= to) bytes += cost;
      return bytes;
    };
    for (int i = 0; i < 200; ++i) {
      switch (random.next() % 12) {
      case 0:
        if (last > first) {
          const auto end = last - random.next() % std::min<index_t>(last - first, 4);
          sizes.truncate_from(end + 1, sum(end, last));
          last = end;
          all.erase(all.upper_bound(last), all.end());
        }
        break;
      case 1:
        first += random.next() % (last - first + 1);
        sizes.compact(first);
        break;
      case 2:
        if (random.next() % 10 == 0) {
          first = last = last + random.next() % 3;
          sizes.reset(first);
          all.clear();
        }
        break;
      default: {
        const auto cost = 32 + random.next() % (random.next() % 4 == 0 ? 300'000 : 3'000);
        sizes.append(++last, cost);
        all[last] = cost;
      }
      }
      const auto at = first + random.next() % (last - first + 1);
      const auto exact = sum(at, last);
      REQUIRE(sizes.behind(at) < exact + log_bytes::grain);
      REQUIRE(sizes.behind(at) >= exact);
      const auto most = random.next() % 1'000'000;
      const auto from = sizes.first_within(last, most);
      REQUIRE(from <= last);
      REQUIRE(sum(std::max(from, first), last) <= most + log_bytes::grain);
      if (from > first) REQUIRE(sum(from - 1, last) + log_bytes::grain > most);
    }
    const log_bytes again{first, sizes.marks()};
    if (last > first) REQUIRE(again.behind(first) == sizes.behind(first));
  }
}

TEST_CASE("a log that is truncated repeatedly costs what it contains") {
  log_view log;
  std::uint64_t exact = 0;
  for (int i = 0; i < 100; ++i) {
    // Each time, most of a mark's bytes stay and one entry is removed.
    log.append(test::command(log.last_index() + 1, 1, std::string(60'000, 'x')));
    exact += entry::cost_of(60'000);
    log.append(test::command(log.last_index() + 1, 1));
    log.truncate_from(log.last_index());
    CHECK(log.bytes_behind(0) == exact);
  }
  // Without data, as after a start, the cost of the entries after the last mark is unknown: less than one grain is
  // missing.
  log.evict(log.last_index(), 0);
  log.truncate_from(log.last_index());
  exact -= entry::cost_of(60'000);
  CHECK(log.bytes_behind(0) <= exact);
  CHECK(log.bytes_behind(0) + log_bytes::grain > exact);
}

TEST_CASE("another snapshot that is sent has its own time limit") {
  auto s = sending();
  s.grow(5);
  s.snapshot();
  const auto wait = with_limits().catch_up_log_time / 2 + std::chrono::seconds{1};
  for (duration passed{}; passed < wait; passed += std::chrono::seconds{1}) {
    s.report(3, 0, s.sent(static_cast<std::uint64_t>(passed.count() / 1'000'000'000)));
    CHECK(s.pass(std::chrono::seconds{1}).released_logs.empty());
  }
  // The peer was restarted and is sent the newest snapshot.
  const snapshot_id newer{{s.last(), 2}, 1000, 0xdef};
  s.grow(5);
  s.snapshot();
  for (duration passed{}; passed < wait; passed += std::chrono::seconds{1}) {
    const auto arrived = static_cast<std::uint64_t>(passed.count() / 1'000'000'000);
    s.report(3, 0, snapshot_transfer{newer, arrived});
    CHECK(s.pass(std::chrono::seconds{1}).released_logs.empty());
  }
}

TEST_CASE("the entry cache shrinks whether or not entries are applied") {
  const auto cached = [](bool lost, bool missing) {
    auto disk = test::disk_with({1, 1, 1, 1}, {1, {}});
    options o;
    o.cache_bytes = 10 * entry_cost;
    if (lost) {
      disk = {};
      disk.hard = {1, {}};
      disk.last_index = 4;
      disk.start = {4, 1};
      disk.state_lost = true;
    }
    follower f{node_state{node_id{1}, test::cluster, o, 42, disk}};
    f.start(start);
    if (missing) {
      f.step(rpc{append_request{test::from(2, 1), 4, 1, 3, 0, {}}}, start);
      f.step(state_missing{2}, start);
    }
    for (index_t i = 5; i < 105; ++i) {
      const append_request next{test::from(2, 1),
                                i - 1,
                                1,
                                i - 1,
                                0,
                                {{i, 1, entry_kind::command, bytes{std::string(entry_cost - 32, 'x')}}}};
      f.state().validate(f.step(rpc{next}, start));
      const auto out = f.step(persisted{test::all_of(f.state())}, start);
      f.state().validate(out);
      if (lost || missing) CHECK_FALSE(out.commit_to);
    }
    return f.state().log().last_index() + 1 - f.state().log().first_cached();
  };
  CHECK(cached(false, false) <= 12);
  CHECK(cached(true, false) <= 12);
  CHECK(cached(false, true) <= 12);
}

} // namespace troupe::raft

// node_state with snapshots and compaction: what it considers durable survives any crash.
#include "raft/node_state.hpp"

#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

/// The disk as a plain list, and the snapshots next to it.
struct plain_disk {
  log_position start;
  std::vector<entry> log;
  std::vector<snapshot_point> snapshots;
  std::deque<write> unsynced;
  std::uint64_t number = 0;

  index_t last() const { return start.index + log.size(); }
  term_t term_at(index_t i) const {
    return i == start.index ? start.term : i < start.index || i > last() ? 0 : log[i - start.index - 1].term;
  }
  void apply(const write& w) {
    number = w.number;
    if (w.reset_to) {
      start = *w.reset_to;
      log.clear();
    }
    if (w.truncate_from && *w.truncate_from <= last()) log.resize(*w.truncate_from - start.index - 1);
    for (const auto& e : w.append) {
      REQUIRE(e.index == last() + 1);
      log.push_back(e);
    }
  }
  durable_mark sync_one() {
    apply(unsynced.front());
    unsynced.pop_front();
    return {number, last(), term_at(last())};
  }
  void compact(index_t up_to) {
    if (up_to <= start.index || up_to > last()) return;
    const log_position to{up_to, term_at(up_to)};
    log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(up_to - start.index));
    start = to;
  }
  /// Recovery after a restart: the newest snapshot, and the log only if it agrees with that.
  void recover() {
    if (snapshots.empty() || term_at(snapshots.back().last.index) == snapshots.back().last.term) return;
    start = snapshots.back().last;
    log.clear();
  }
};

/// Entries with odd terms are the cluster's, those with even terms a deposed leader's.
term_t true_term(index_t i) { return 1 + i / 3 * 2; }

snapshot_point true_snapshot(index_t i) { return {{i, true_term(i)}, 1, test::voters(3)}; }

/// Drives a node through everything that can happen to a follower, and compares it with the disk after each step.
class walk {
 public:
  explicit walk(std::uint64_t seed) : random_(seed) {
    opts_.log_tail = random_.next() % 4;
    recovered found = test::disk_with({1}, {1, {}});
    state_.emplace(node_id{1}, test::cluster, opts_, seed, found);
    disk_.log.push_back({1, 1, entry_kind::configuration, bytes{encode(test::voters(3))}});
  }

  void step() {
    output out;
    switch (random_.next() % 8) {
    case 0:
      go_astray(out);
      break;
    case 1:
    case 2:
      follow(out);
      break;
    case 3:
      state_->commit_to(random_.next() % (agreed() + 1));
      state_->release_commits(out);
      break;
    case 4:
      install(out, 1 + random_.next() % (state_->log().last_index() + 6));
      break;
    case 5:
      take_snapshot(out);
      break;
    default:
      if (!disk_.unsynced.empty()) state_->persisted_to(disk_.sync_one());
      state_->release_commits(out);
      break;
    }
    take(out);
  }
  void sync_all() {
    while (!disk_.unsynced.empty()) state_->persisted_to(disk_.sync_one());
    REQUIRE(state_->all_durable());
    REQUIRE(state_->durable_index() == state_->log().last_index());
    check();
  }

 private:
  index_t agreed() const {
    auto i = state_->log().last_index();
    while (i > state_->log().start().index && state_->log().term_at(i) != true_term(i)) --i;
    return i;
  }
  void grow(output& out, bool right) {
    for (auto n = 1 + random_.next() % 3; n > 0; --n) {
      const auto next = state_->log().last_index() + 1;
      const auto last = state_->log().last_term();
      state_->append(out, test::command(next, right ? true_term(next) : last + last % 2));
    }
  }
  void go_astray(output& out) {
    if (state_->log().last_index() > agreed() || random_.next() % 2 == 0) grow(out, false);
  }
  void follow(output& out) {
    if (state_->log().last_index() > agreed()) state_->truncate_from(out, agreed() + 1);
    grow(out, true);
  }
  void install(output& out, index_t index) {
    const auto at = true_snapshot(index);
    if (disk_.snapshots.empty() || disk_.snapshots.back().last.index < index) disk_.snapshots.push_back(at);
    const auto commit = state_->commit();
    REQUIRE(state_->install(out, at));
    REQUIRE(state_->commit() >= std::max(commit, index));
    if (out.load) {
      REQUIRE(out.load->last.index > applied_);
      applied_ = out.load->last.index;
    }
    state_->release_commits(out);
  }
  void take_snapshot(output& out) {
    if (applied_ == 0 || (!disk_.snapshots.empty() && disk_.snapshots.back().last.index >= applied_)) return;
    disk_.snapshots.push_back(true_snapshot(applied_));
    const auto oldest = disk_.snapshots[disk_.snapshots.size() - std::min<std::size_t>(2, disk_.snapshots.size())];
    state_->note_taken({disk_.snapshots.back().last, oldest.last.index});
    state_->compact(out);
    if (!out.compact_to) return;
    REQUIRE(*out.compact_to <= oldest.last.index);
    REQUIRE(*out.compact_to <= applied_);
    disk_.compact(*out.compact_to);
  }
  void take(const output& out) {
    REQUIRE_NOTHROW(state_->validate(out));
    if (out.write_now) disk_.unsynced.push_back(*out.write_now);
    if (out.commit_to) {
      REQUIRE(*out.commit_to > applied_);
      applied_ = *out.commit_to;
    }
    check();
  }
  /// Checks the state that would remain if the power failed now and everything unsynced were lost.
  void check() const {
    auto after = disk_;
    after.recover();
    const auto& log = state_->log();
    REQUIRE(after.last() >= state_->durable_index());
    for (auto i = std::max(after.start.index, log.start().index); i <= state_->durable_index(); ++i)
      REQUIRE(after.term_at(i) == log.term_at(i));
    REQUIRE(after.start.index <= std::max(applied_, log.start().index));
    for (auto i = log.start().index; i <= state_->commit() && i > 0; ++i) REQUIRE(log.term_at(i) == true_term(i));
  }

  prng random_;
  options opts_;
  plain_disk disk_;
  std::optional<node_state> state_;
  index_t applied_ = 0;
};

const configuration three = test::voters(3);

/// A node whose disk holds a log after `start`, but not the snapshot that covers the entries before.
node_state lost(log_position start, const std::vector<term_t>& terms) {
  recovered disk;
  disk.hard = {9, {}};
  disk.start = start;
  disk.last_index = start.index + terms.size();
  for (std::size_t i = 0; i < terms.size(); ++i) disk.terms.push_back({start.index + 1 + i, terms[i]});
  disk.state_lost = true;
  return {node_id{1}, test::cluster, {}, 42, disk};
}

} // namespace

TEST_CASE("what a node considers durable survives a crash at any time") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    INFO("seed " << seed);
    walk w{seed};
    for (int i = 0; i < 60; ++i) w.step();
    w.sync_all();
  }
}

TEST_CASE("an older write that completes after a reset says nothing about the new log") {
  auto s = test::state_with({1}, {1, {}});
  output before;
  for (index_t i = 2; i <= 5; ++i) s.append(before, test::command(i, 2));
  output reset;
  // The same index as the old log's end, but another term.
  REQUIRE(s.install(reset, {{5, 3}, 1, three}));
  CHECK(reset.write_now->reset_to == log_position{5, 3});
  CHECK(s.log().last_term() == 3);
  output after;
  s.append(after, test::command(6, 3));
  CHECK_NOTHROW(s.persisted_to({1, 5, 2}));
  CHECK(s.durable_index() == 5);
  CHECK_FALSE(s.all_durable());
  s.persisted_to({2, 5, 3});
  CHECK(s.durable_index() == 5);
  s.persisted_to({3, 6, 3});
  CHECK(s.durable_index() == 6);
  CHECK(s.all_durable());
}

TEST_CASE("a reset for which the disk reports another term is detected") {
  auto s = test::state_with({1}, {1, {}});
  output out;
  REQUIRE(s.install(out, {{5, 3}, 1, three}));
  CHECK_THROWS_WITH(s.persisted_to({1, 5, 2}), Catch::Matchers::Contains("has the same term"));
}

TEST_CASE("a snapshot lowers the durable index where the log differs from it, and a long tail does not survive") {
  auto s = test::state_with({1, 2, 2, 2, 2, 2}, {2, {}});
  CHECK(s.durable_index() == 6);
  output out;
  REQUIRE(s.install(out, {{3, 3}, 1, three}));
  CHECK(s.durable_index() == 3);
  CHECK(s.log().last_index() == 3);
  CHECK(out.load->last == log_position{3, 3});
  CHECK_FALSE(out.commit_to);
}

TEST_CASE("a snapshot that the log agrees with leaves the log alone") {
  auto s = test::state_with({1, 2, 2, 2}, {2, {}});
  output out;
  REQUIRE(s.install(out, {{3, 2}, 1, three}));
  CHECK_FALSE(out.write_now);
  CHECK(out.load);
  CHECK(s.log().last_index() == 4);
  CHECK(s.commit() == 3);
  // The same snapshot again, or an older one, changes nothing.
  output again;
  CHECK(s.install(again, {{3, 2}, 1, three}));
  CHECK(s.install(again, {{2, 2}, 1, three}));
  CHECK_FALSE(again.load);
  CHECK_FALSE(again.write_now);
}

TEST_CASE("a snapshot of committed entries that are not on the node's disk yet is loaded, and the ack waits") {
  auto s = test::state_with({1}, {1, {}});
  output written;
  for (index_t i = 2; i <= 4; ++i) s.append(written, test::command(i, 1));
  s.commit_to(4);
  output out;
  REQUIRE(s.install(out, {{3, 1}, 1, three}));
  CHECK(out.load);
  CHECK_FALSE(out.write_now);
  append_response ack;
  ack.success = true;
  ack.head = s.to(node_id{2});
  s.send_durably(out, ack);
  CHECK(out.send_after_persist.size() == 1);
  CHECK_NOTHROW(s.validate(out));
  s.persisted_to({1, 4, 1});
  output later;
  s.release_commits(later);
  CHECK(later.commit_to == index_t{4});
}

TEST_CASE("compaction keeps what a kept snapshot, the tail, the apply index or the disk still needs") {
  const auto up_to = [](index_t newest, index_t oldest, index_t commit, index_t tail) {
    options o;
    o.log_tail = tail;
    node_state s{node_id{1}, test::cluster, o, 42, test::disk_with({1, 1, 1, 1, 1, 1, 1, 1}, {1, {}})};
    s.commit_to(commit);
    output applied;
    s.release_commits(applied);
    output out;
    s.note_taken({{newest, 1}, oldest});
    s.compact(out);
    CHECK(s.log().start().index == out.compact_to.value_or(0));
    return out.compact_to.value_or(0);
  };
  CHECK(up_to(6, 4, 8, 0) == 4);
  CHECK(up_to(6, 6, 8, 0) == 6);
  CHECK(up_to(6, 6, 8, 2) == 4);
  CHECK(up_to(6, 6, 8, 6) == 0);
  CHECK(up_to(6, 6, 8, ~index_t{0}) == 0);
  CHECK(up_to(6, 6, 3, 0) == 3);
  CHECK(up_to(8, 8, 8, 0) == 8);
}

TEST_CASE("a late snapshot of the node itself does not move the start of the log back") {
  options o;
  o.log_tail = 0;
  node_state s{node_id{1}, test::cluster, o, 42, test::disk_with({1, 1, 1}, {1, {}})};
  output out;
  REQUIRE(s.install(out, {{9, 2}, 1, three}));
  output late;
  s.note_taken({{2, 1}, 2});
  s.compact(late);
  CHECK_FALSE(late.compact_to);
  CHECK(s.log().start().index == 9);
}

TEST_CASE("a node without its state accepts only a snapshot that reaches its log") {
  auto s = lost({5, 3}, {3, 3, 4});
  CHECK(s.needs_snapshot() == 5);
  CHECK(s.commit() == 0);
  CHECK_FALSE(s.may_campaign());
  s.commit_to(8);
  output nothing;
  s.release_commits(nothing);
  CHECK_FALSE(nothing.commit_to);
  CHECK_NOTHROW(s.validate(nothing));
  CHECK_FALSE(s.install(nothing, {{4, 3}, 1, three}));
  CHECK_FALSE(nothing.load);
  output out;
  REQUIRE(s.install(out, {{6, 3}, 1, three}));
  CHECK(out.load);
  CHECK_FALSE(out.write_now);
  s.release_commits(out);
  CHECK(out.commit_to == index_t{8});
  CHECK(s.needs_snapshot() == 0);
  CHECK_NOTHROW(s.validate(out));
}

TEST_CASE("a node that gets its state back knows its configuration again") {
  // Its log was intact, so none of it is replaced; the lost snapshot had held the configuration.
  auto s = lost({5, 3}, {3, 3, 4});
  CHECK(s.members().empty());
  output out;
  REQUIRE(s.install(out, {{6, 3}, 1, three}));
  CHECK(s.members() == three);
  CHECK(s.log().configuration_index() == 1);
  CHECK(s.may_campaign());
  // A later configuration in the log takes precedence over the snapshot's, and a truncation restores the older one.
  output more;
  s.append(more, {9, 4, entry_kind::configuration, bytes{encode(test::voters(5))}});
  CHECK(s.members() == test::voters(5));
  output cut;
  s.truncate_from(cut, 9);
  CHECK(s.members() == three);
}

} // namespace troupe::raft

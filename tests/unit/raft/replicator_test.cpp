// The replicator with a follower that is a plain vector, over a wire that loses, repeats and reorders messages.
#include "raft/replicator.hpp"

#include "raft/base/random.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

#include <utility>

namespace troupe::raft {
namespace {

const time_point start{std::chrono::seconds{100}};

/// The leader's log and the peer's, as vectors of entries; log[0] has index 1.
using entries = std::vector<entry>;

term_t term_at(const entries& log, index_t index) { return index == 0 || index > log.size() ? 0 : log[index - 1].term; }

struct peer {
  entries log;
  index_t commit = 0;
  bool full = false;

  /// Figure 2, receiver implementation, followed literally.
  append_response receive(const append_request& m) {
    append_response r;
    r.head = {m.head.cluster, m.head.to, m.head.from, m.head.term};
    r.prev_index = m.prev_index;
    r.round = m.round;
    r.session = m.session;
    r.no_room = full;
    if (m.prev_index > log.size() || term_at(log, m.prev_index) != m.prev_term) {
      r.hint_index = std::min<index_t>(m.prev_index - 1, log.size());
      while (r.hint_index > 0 && term_at(log, r.hint_index) > m.prev_term) --r.hint_index;
      r.hint_term = term_at(log, r.hint_index);
      return r;
    }
    r.match = m.prev_index;
    for (const auto& e : m.entries) {
      if (e.index <= log.size() && term_at(log, e.index) == e.term) {
        ++r.match;
        continue;
      }
      if (full) break;
      ++r.match;
      log.resize(e.index - 1);
      log.push_back(e);
    }
    r.success = true;
    commit = std::max(commit, std::min(m.commit, r.match));
    return r;
  }
};

/// A replicator between a leader's log and a peer. Messages in flight are in bags from which the walk draws.
class walk {
 public:
  explicit walk(std::uint64_t seed) : random_(seed) {
    opts_.max_append_bytes = 40 + random_.next() % 200;
    opts_.max_inflight_messages = 1 + random_.next() % 5;
    opts_.max_inflight_bytes = 50 + random_.next() % 400;
    entries common;
    grow(common, 1, random_.next() % 6);
    log_ = peer_.log = common;
    grow(log_, 0, random_.next() % 8);
    grow(peer_.log, 1, random_.next() % 8);
    machine_.emplace(replicator_seed{
        opts_, {test::cluster, node_id{1}, node_id{2}, 99}, log_.size(), term_at(log_, log_.size()), 0, 0});
    take(machine_->start(now_));
  }

  void disturb() {
    switch (random_.next() % 9) {
    case 0:
      grow_leader();
      break;
    case 1:
      tick();
      break;
    case 2:
      lose(requests_);
      break;
    case 3:
      lose(responses_);
      break;
    case 4:
      if (fetch_) answer();
      break;
    case 5:
      ++round_;
      tell({});
      break;
    case 6:
      peer_.full = random_.next() % 3 == 0;
      break;
    default:
      exchange(random_.next() % 10 != 0);
      break;
    }
  }

  /// All requests arrive, but no response does until the replicator has started to probe again.
  void hold_answers() {
    grow_leader();
    for (const auto& m : std::exchange(requests_, {})) responses_.push_back(peer_.receive(m));
    now_ += opts_.election_min;
    take(machine_->step(raft::tick{}, now_));
    if (fetch_) answer();
  }

  /// From now on everything arrives. The peer must get the whole log, and learn that it is committed.
  void settle() {
    commit_ = log_.size();
    peer_.full = false;
    tell({});
    for (int i = 0; i < 3000 && !settled(); ++i) {
      if (fetch_) answer();
      while (!requests_.empty() || !responses_.empty()) exchange(true);
      tick();
    }
    REQUIRE(settled());
  }

 private:
  bool settled() const {
    return peer_.log.size() >= log_.size() && std::equal(log_.begin(), log_.end(), peer_.log.begin()) &&
           reported_.match == log_.size() && reported_.round == round_ && peer_.commit == commit_;
  }

  void grow(entries& log, term_t parity, std::uint64_t count) {
    for (; count > 0; --count) {
      auto term = std::max<term_t>(1, term_at(log, log.size()) + random_.next() % 2);
      if (term % 2 != parity) ++term;
      log.push_back(test::command(log.size() + 1, term, std::string(random_.next() % 30, 'x')));
    }
  }
  void grow_leader() {
    const auto before = log_.size();
    grow(log_, 0, 1 + random_.next() % 4);
    tell({log_.begin() + static_cast<std::ptrdiff_t>(before), log_.end()});
  }
  void tell(entries fresh) {
    if (random_.next() % 2 == 0) commit_ = std::max(commit_, reported_.match);
    take(machine_->step(replicate{std::move(fresh), log_.size(), commit_, round_}, now_));
  }
  void tick() {
    now_ = std::max(now_, machine_->deadline());
    if (random_.next() % 4 == 0) now_ += opts_.election_min;
    take(machine_->step(raft::tick{}, now_));
  }
  void answer() {
    const auto question = *std::exchange(fetch_, std::nullopt);
    auto prev = std::min<index_t>(question.first - 1, log_.size());
    if (question.hint_term)
      while (prev > 0 && term_at(log_, prev) > *question.hint_term) --prev;
    fetched found{prev + 1, term_at(log_, prev), {}};
    std::size_t bytes = 0;
    for (auto i = prev; i < log_.size(); ++i) {
      bytes += log_[i].cost();
      if (!found.entries.empty() && bytes > question.max_bytes) break;
      found.entries.push_back(log_[i]);
    }
    take(machine_->step(found, now_));
  }

  template <class T> void lose(std::vector<T>& bag) {
    if (!bag.empty()) bag.erase(bag.begin() + static_cast<std::ptrdiff_t>(random_.next() % bag.size()));
  }
  /// Delivers a message. Unless `once`, it also stays in the bag.
  void exchange(bool once) {
    const auto draw = [&](auto& bag) {
      const auto i = random_.next() % bag.size();
      auto message = bag[i];
      if (once) bag.erase(bag.begin() + static_cast<std::ptrdiff_t>(i));
      return message;
    };
    if (!requests_.empty() && (responses_.empty() || random_.next() % 2 == 0)) {
      responses_.push_back(peer_.receive(draw(requests_)));
    } else if (!responses_.empty()) {
      take(machine_->step(draw(responses_), now_));
    }
  }

  void take(replicator_output out) {
    for (auto& m : out.send) {
      check(m);
      requests_.push_back(std::move(m));
    }
    if (out.fetch) {
      REQUIRE_FALSE(fetch_);
      fetch_ = out.fetch;
    }
    if (out.report) {
      REQUIRE(out.report->match >= reported_.match);
      REQUIRE(out.report->match <= log_.size());
      // The peer has everything that counts for it.
      for (index_t i = 1; i <= out.report->match; ++i) REQUIRE(term_at(peer_.log, i) == term_at(log_, i));
      const auto round = std::max(reported_.round, out.report->round);
      reported_ = *out.report;
      reported_.round = round;
    }
  }

  /// A request is a part of the leader's log, and the limits hold.
  void check(const append_request& m) {
    REQUIRE(m.prev_term == term_at(log_, m.prev_index));
    REQUIRE(m.commit <= commit_);
    for (std::size_t i = 0; i < m.entries.size(); ++i) REQUIRE(m.entries[i] == log_[m.prev_index + i]);
    if (machine_->current_mode() == replicator::mode::probe) REQUIRE(m.entries.empty());
    std::size_t bytes = 0;
    for (const auto& e : m.entries) bytes += e.cost();
    REQUIRE((m.entries.size() <= 1 || bytes <= opts_.max_append_bytes));
    std::size_t unanswered = 0;
    for (auto i = machine_->match(); !m.entries.empty() && i < m.entries.back().index; ++i)
      unanswered += log_[i].cost();
    REQUIRE(unanswered <= opts_.max_inflight_bytes + std::max<std::size_t>(opts_.max_append_bytes, 62));
  }

  prng random_;
  options opts_;
  time_point now_ = start;
  entries log_;
  peer peer_;
  index_t commit_ = 0;
  std::uint64_t round_ = 0;
  std::optional<replicator> machine_;
  std::vector<append_request> requests_;
  std::vector<append_response> responses_;
  std::optional<fetch_request> fetch_;
  peer_report reported_;
};

entries log_of(std::size_t count) {
  entries log;
  for (index_t i = 1; i <= count; ++i) log.push_back(test::command(i, 1));
  return log;
}

replicator fresh(options opts, index_t last) {
  return replicator{{opts, {test::cluster, node_id{1}, node_id{2}, 1}, last, 1, 0, 0}};
}

append_response agree(index_t match) {
  append_response r;
  r.head = {test::cluster, node_id{2}, node_id{1}, 1};
  r.success = true;
  r.match = match;
  return r;
}

bool only_empty(const std::vector<append_request>& sent) {
  return std::all_of(sent.begin(), sent.end(), [](const auto& m) { return m.entries.empty(); });
}

} // namespace

TEST_CASE("a replicator brings any peer up to date over any wire") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    INFO("seed " << seed);
    walk w{seed};
    for (int i = 0; i < 150; ++i) w.disturb();
    if (seed % 2 == 0) {
      w.settle();
      w.hold_answers();
    }
    w.settle();
  }
}

TEST_CASE("a peer that stops responding costs a bounded number of requests") {
  options o;
  o.max_append_bytes = 1;
  o.max_inflight_messages = 4;
  auto r = fresh(o, 1);
  r.start(start);
  r.step(agree(1), start);
  const auto log = log_of(101);
  std::size_t sent = 0;
  for (index_t i = 2; i <= 101; ++i) {
    const auto out = r.step(replicate{{log[i - 1]}, i, 0, 0}, start);
    sent += out.send.size();
  }
  CHECK(sent == 4);
  // After a silence it probes again, once per heartbeat, without entries.
  auto now = start;
  for (int i = 0; i < 20; ++i) {
    now = r.deadline();
    for (const auto& m : r.step(tick{}, now).send) CHECK(m.entries.empty());
  }
  CHECK(r.current_mode() == replicator::mode::probe);
}

TEST_CASE("a peer whose disk is full is sent no commands until it reports that it has room") {
  options o;
  o.max_append_bytes = 1;
  o.max_inflight_messages = 4;
  auto r = fresh(o, 1);
  r.start(start);
  r.step(agree(1), start);
  auto log = log_of(9);
  log[1].kind = entry_kind::noop;
  std::size_t sent = 0;
  auto full = agree(1);
  full.no_room = true;
  // One window is in flight when the peer reports that its disk is full.
  for (index_t i = 2; i <= 9; ++i) sent += r.step(replicate{{log[i - 1]}, i, 0, 0}, start).send.size();
  CHECK(sent == 4);
  auto out = r.step(full, start);
  REQUIRE(out.fetch);
  // The replicator probes from the end: the peer may have acknowledged what it has in responses that were lost.
  CHECK(out.fetch->first == 10);
  out = r.step(fetched{10, 1, {}}, start);
  CHECK(only_empty(out.send));
  append_response behind = full;
  behind.success = false;
  behind.match = 0;
  behind.prev_index = 9;
  behind.hint_index = behind.hint_term = 1;
  out = r.step(behind, start);
  REQUIRE(out.fetch);
  out = r.step(fetched{2, 1, {log.begin() + 1, log.end()}}, start);
  CHECK(only_empty(out.send));
  full.prev_index = 1;
  // It accepts the no-op that opens a term.
  out = r.step(full, start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].entries == entries{log[1]});
  full.match = 2;
  CHECK(r.step(full, start).send.empty());
  auto now = start;
  for (int i = 0; i < 20; ++i) {
    now = r.deadline();
    CHECK(only_empty(r.step(tick{}, now).send));
    full.prev_index = 2;
    CHECK(only_empty(r.step(full, now).send));
  }
  CHECK(r.current_mode() == replicator::mode::replicate);
  out = r.step(agree(2), now);
  REQUIRE(out.send.size() == 4);
  CHECK(out.send[0].entries == entries{log[2]});
}

TEST_CASE("entries that a full peer has count, even if its responses were lost") {
  auto r = fresh({}, 1);
  r.start(start);
  r.step(agree(1), start);
  const auto log = log_of(9);
  REQUIRE(r.step(replicate{{log.begin() + 1, log.end()}, 9, 0, 0}, start).send.size() == 1);
  // The peer has everything on disk, its response is lost, and then its disk is full.
  const auto late = start + options{}.election_min;
  auto out = r.step(tick{}, late);
  REQUIRE(out.fetch);
  out = r.step(fetched{2, 1, {log.begin() + 1, log.end()}}, late);
  auto full = agree(1);
  full.no_room = true;
  full.prev_index = 1;
  out = r.step(full, late);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 10);
  out = r.step(fetched{10, 1, {}}, late);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == 9);
  full.match = full.prev_index = 9;
  r.step(full, late);
  CHECK(r.match() == 9);
}

TEST_CASE("a peer that had more than was assumed still learns the commit index") {
  options o;
  o.max_append_bytes = 1;
  auto r = fresh(o, 1);
  r.start(start);
  r.step(agree(1), start);
  const auto log = log_of(5);
  // Everything is sent. The responses take so long that the replicator probes again from match.
  r.step(replicate{{log.begin() + 1, log.end()}, 5, 0, 0}, start);
  const auto late = start + o.election_min;
  const auto question = r.step(tick{}, late).fetch;
  REQUIRE(question);
  r.step(fetched{2, 1, {log[1]}}, late);
  // Now the late response arrives: the peer has everything.
  auto out = r.step(agree(5), late);
  CHECK(r.match() == 5);
  if (out.fetch) r.step(fetched{6, 1, {}}, late);
  r.step(replicate{{}, 5, 5, 0}, late);
  const auto told = r.step(tick{}, late + o.commit_lag).send;
  REQUIRE(told.size() == 1);
  CHECK(told[0].prev_index == 5);
  CHECK(told[0].commit == 5);
}

TEST_CASE("responses of another term or peer are ignored") {
  auto r = fresh({}, 3);
  r.start(start);
  auto other = agree(3);
  other.head.term = 2;
  CHECK_FALSE(r.step(other, start).report);
  other = agree(3);
  other.head.from = node_id{3};
  CHECK_FALSE(r.step(other, start).report);
  CHECK(r.match() == 0);
  CHECK(r.step(agree(3), start).report->match == 3);
}

TEST_CASE("an acknowledgement beyond the log is ignored") {
  auto r = fresh({}, 3);
  r.start(start);
  r.step(agree(4), start);
  CHECK(r.match() == 0);
}

} // namespace troupe::raft

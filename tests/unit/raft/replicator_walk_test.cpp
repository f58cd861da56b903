// The replicator, a log that is compacted at random, and a peer that loses its state, over a wire that loses,
// duplicates and delays messages.
#include "raft/base/random.hpp"
#include "tests/unit/raft/replicator_answers.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <variant>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;
using mode = replicator::mode;
using test::got;
using test::say;

const time_point start{std::chrono::seconds{100}};

/// A leader with a log that is compacted at random and the snapshots that cover the rest, a peer that stores chunks,
/// and bags of messages between them.
class snapshot_walk {
 public:
  explicit snapshot_walk(std::uint64_t seed) : random_(seed) {
    opts_.snapshot_chunk_bytes = 1 + random_.next() % 20;
    opts_.max_append_bytes = 40 + random_.next() % 200;
    opts_.max_inflight_messages = 1 + random_.next() % 5;
    if (seed % 3 == 0) opts_.snapshot_bytes_per_second = 100;
    lies_ = seed % 2 == 0;
    last_ = 5 + random_.next() % 40;
    compact();
    peer_last_ = random_.next() % (last_ + 1);
    if (random_.next() % 3 == 0) lose_state();
    machine_.emplace(replicator_seed{opts_, {test::cluster, node_id{1}, node_id{2}, 1}, last_, 1, last_, 0});
    take(machine_->start(now_));
  }

  void disturb() {
    switch (random_.next() % 12) {
    case 0:
      last_ += 1 + random_.next() % 3;
      tell();
      break;
    case 1:
      if (random_.next() % 3 == 0) compact();
      break;
    case 2:
      tick();
      break;
    case 3:
      lose(requests_);
      break;
    case 4:
      lose(answers_);
      break;
    case 5:
      if (random_.next() % 8 == 0) lose_state();
      break;
    case 6:
      if (random_.next() % 8 == 0) restart();
      break;
    default:
      exchange(random_.next() % 8 != 0);
      break;
    }
  }
  int losses_told = 0;
  void settle() {
    calm_ = true;
    tell();
    for (int i = 0; i < 4000 && !settled(); ++i) {
      while (!requests_.empty() || !answers_.empty() || !questions_.empty()) exchange(true);
      tick();
    }
    REQUIRE(settled());
  }

 private:
  using request = std::variant<append_request, snapshot_request>;
  using reply = std::variant<append_response, snapshot_response>;
  using question = std::variant<fetch_request, chunk_request>;

  bool settled() const { return peer_last_ == last_ && needs_ == 0 && machine_->match() == last_; }

  void compact() {
    snapshots_.push_back({{last_ - random_.next() % 3, 1}, 1 + random_.next() % 60, random_.next()});
    if (snapshots_.size() > 2) snapshots_.erase(snapshots_.begin());
    if (snapshots_.back().last.index < snapshots_.front().last.index) std::swap(snapshots_[0], snapshots_[1]);
    start_ = std::max(start_, snapshots_.front().last.index);
  }
  /// The peer's process restarts, with a disk that may have lost acknowledged entries. Sometimes the new process has
  /// the incarnation of the old one.
  void restart() {
    incoming_ = 0;
    if (random_.next() % 4 != 0) ++incarnation_;
    if (!lies_ || random_.next() % 2 == 0) return;
    peer_last_ -= std::min(peer_last_, random_.next() % 6);
    has_lied_ = true;
  }
  void lose_state() { needs_ = std::max<index_t>(1, peer_last_ / 2); }

  void tell() { take(machine_->step(replicate{{}, last_, last_, 0}, now_)); }
  void tick() {
    now_ = std::max(now_ + 1ms, machine_->deadline());
    take(machine_->step(raft::tick{}, now_));
  }

  append_response receive(const append_request& m) {
    auto r = say(true, m.prev_index, 0, needs_);
    r.session = m.session;
    r.incarnation = incarnation_;
    if (m.prev_index > peer_last_) {
      r.success = false;
      r.match = 0;
      r.hint_index = peer_last_;
      r.hint_term = peer_last_ == 0 ? 0 : 1;
      return r;
    }
    r.match = m.prev_index + m.entries.size();
    peer_last_ = std::max(peer_last_, r.match);
    return r;
  }
  /// Returns nothing if the chunk is dropped because the one before is still being stored.
  std::optional<reply> receive(const snapshot_request& m) {
    if (random_.next() % 10 == 0) return std::nullopt;
    REQUIRE(!m.data.empty());
    if (stored_ != m.snapshot) {
      stored_ = m.snapshot;
      incoming_ = 0;
    }
    if (m.offset == incoming_) incoming_ += m.data.size();
    if (random_.next() % 20 == 0 && !calm_) {
      incoming_ = 0;
      return of(m, got(m.offset, 0, true, m.snapshot));
    }
    if (incoming_ < m.snapshot.size) return of(m, got(m.offset, incoming_, false, m.snapshot));
    if (needs_ > m.snapshot.last.index) return of(m, got(m.offset, 0, true, m.snapshot));
    needs_ = 0;
    peer_last_ = std::max(peer_last_, m.snapshot.last.index);
    return of(m, say(true, m.snapshot.last.index));
  }
  template <class Reply> Reply of(const snapshot_request& m, Reply r) const {
    r.session = m.session;
    r.incarnation = incarnation_;
    return r;
  }
  void answer(const fetch_request& q) {
    const auto prev = std::min(q.first - 1, last_);
    if (prev < start_) return take(machine_->step(fetched{q.first, 0, {}, true}, now_));
    fetched found{prev + 1, prev == 0 ? term_t{0} : term_t{1}, {}, false};
    for (auto i = prev + 1; i <= last_ && found.entries.size() < 4; ++i) found.entries.push_back(test::command(i, 1));
    take(machine_->step(found, now_));
  }
  void answer(const chunk_request& q) {
    for (auto s = snapshots_.rbegin(); s != snapshots_.rend(); ++s) {
      if (q.snapshot ? q.snapshot != *s : s->last.index < q.reach) continue;
      const auto size = std::min<std::uint64_t>(q.max_bytes, s->size - q.offset);
      return take(machine_->step(snapshot_chunk{*s, q.offset, bytes{std::string(size, 'x')}}, now_));
    }
    if (!q.snapshot) compact();
    take(machine_->step(snapshot_chunk{}, now_));
  }

  template <class T> void lose(std::vector<T>& bag) {
    if (!bag.empty()) bag.erase(bag.begin() + static_cast<std::ptrdiff_t>(random_.next() % bag.size()));
  }
  template <class T> T draw(std::vector<T>& bag, bool once) {
    const auto i = random_.next() % bag.size();
    auto message = bag[i];
    if (once) bag.erase(bag.begin() + static_cast<std::ptrdiff_t>(i));
    return message;
  }
  void exchange(bool once) {
    const auto dice = random_.next() % 3;
    if (dice == 0 && !requests_.empty()) {
      const auto m = draw(requests_, once);
      if (const auto* a = std::get_if<append_request>(&m))
        answers_.push_back(receive(*a));
      else if (const auto r = receive(std::get<snapshot_request>(m)))
        answers_.push_back(*r);
    } else if (dice == 1 && !answers_.empty()) {
      const auto m = draw(answers_, once);
      std::visit([&](const auto& r) { take(machine_->step(r, now_)); }, m);
    } else if (!questions_.empty()) {
      // A leader's own mailbox loses and duplicates nothing, and keeps its order.
      const auto q = questions_.front();
      questions_.erase(questions_.begin());
      std::visit([&](const auto& x) { answer(x); }, q);
    }
  }

  void take(const replicator_output& out) {
    for (const auto& m : out.send) {
      REQUIRE(m.prev_index + m.entries.size() <= last_);
      if (machine_->current_mode() != mode::replicate) REQUIRE(m.entries.empty());
      requests_.push_back(m);
    }
    if (out.send_chunk) {
      REQUIRE(++chunks_ < 3000);
      requests_.push_back(*out.send_chunk);
    }
    if (out.report && out.report->lost) {
      REQUIRE(has_lied_);
      REQUIRE(out.report->lost->found < out.report->lost->acknowledged);
      ++losses_told;
    }
    if (out.fetch) questions_.push_back(*out.fetch);
    if (out.read_chunk) questions_.push_back(*out.read_chunk);
    REQUIRE(questions_.size() <= 2);
  }

  prng random_;
  options opts_;
  time_point now_ = start;
  /// From now on the peer's disk does not fail.
  bool calm_ = false;
  bool lies_ = false;
  bool has_lied_ = false;
  std::uint64_t incarnation_ = 1;
  index_t last_ = 0;
  index_t start_ = 0;
  std::vector<snapshot_id> snapshots_;
  index_t peer_last_ = 0;
  index_t needs_ = 0;
  snapshot_id stored_;
  std::uint64_t incoming_ = 0;
  int chunks_ = 0;
  std::optional<replicator> machine_;
  std::vector<request> requests_;
  std::vector<reply> answers_;
  std::vector<question> questions_;
};

} // namespace

TEST_CASE("the peer ends up with everything, despite lost, duplicated and late messages and a forgetful disk") {
  int losses_told = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    INFO("seed " << seed);
    snapshot_walk w{seed};
    for (int i = 0; i < 200; ++i) w.disturb();
    w.settle();
    losses_told += w.losses_told;
  }
  CHECK(losses_told > 100);
}

} // namespace troupe::raft

// The replicator when the log does not reach its peer: a snapshot, piece by piece, over any wire.
#include "raft/replicator.hpp"

#include "raft/random.hpp"
#include "tests/unit/raft/fixtures.hpp"

#include <catch2/catch.hpp>

#include <utility>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;
using mode = replicator::mode;

const time_point start{std::chrono::seconds{100}};
const snapshot_id picture{{50, 1}, 30, 0xabc};
constexpr std::uint64_t chunk = 10;

options small() {
  options o;
  o.snapshot_chunk_bytes = chunk;
  return o;
}

append_response say(bool success, index_t place, index_t hint = 0, index_t needs = 0) {
  append_response r;
  r.head = {test::cluster, node_id{2}, node_id{1}, 1};
  r.success = success;
  r.prev_index = place;
  r.match = success ? place : 0;
  r.hint_index = hint;
  r.hint_term = 1;
  r.needs_snapshot = needs;
  return r;
}
snapshot_response got(std::uint64_t offset, std::uint64_t next, bool failed = false,
                      const snapshot_id& of = picture) {
  return {{test::cluster, node_id{2}, node_id{1}, 1}, of, offset, next, failed, 0};
}
snapshot_piece bytes_at(std::uint64_t offset, const snapshot_id& of = picture) {
  return {of, offset, bytes{std::string(std::min(chunk, of.size - offset), 'x')}};
}

/// A replicator of a leader whose log ends at 100, in mode snapshot, with its first piece on the way.
replicator sending(options o = small()) {
  replicator r{{o, {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  const auto asked = r.step(say(false, 100, 5), start);
  REQUIRE(asked.fetch);
  CHECK(asked.fetch->first == 6);
  const auto out = r.step(fetched{6, 0, {}, true}, start);
  REQUIRE(r.current_mode() == mode::snapshot);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->offset == 0);
  CHECK_FALSE(out.read_piece->snapshot);
  REQUIRE(r.step(bytes_at(0), start).send_piece);
  return r;
}

} // namespace

TEST_CASE("a snapshot is sent from probe, a piece at a time, and then the log goes on") {
  auto r = sending();
  auto out = r.step(got(0, 10), start);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->offset == 10);
  CHECK(out.read_piece->snapshot == picture);
  CHECK(out.report);
  out = r.step(bytes_at(10), start);
  REQUIRE(out.send_piece);
  CHECK(out.send_piece->offset == 10);
  r.step(got(10, 20), start);
  out = r.step(bytes_at(20), start);
  REQUIRE(out.send_piece);
  // The last one is answered when the snapshot is in use.
  out = r.step(say(true, 50), start);
  CHECK(r.current_mode() == mode::probe);
  CHECK(r.match() == 50);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 51);
  out = r.step(fetched{51, 1, {test::command(51, 1)}}, start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == 50);
  out = r.step(say(true, 50), start);
  CHECK(r.current_mode() == mode::replicate);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].entries.size() == 1);
}

TEST_CASE("a snapshot is sent from replicate when the log moves away under a slow peer") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  REQUIRE(r.current_mode() == mode::replicate);
  auto out = r.step(replicate{{}, 60, 60, 0}, start);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  out = r.step(fetched{11, 0, {}, true}, start);
  CHECK(r.current_mode() == mode::snapshot);
  CHECK(out.read_piece);
  // Signs of life go on, and promise nothing about the log.
  out = r.step(tick{}, r.deadline());
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == 0);
  CHECK(out.send[0].entries.empty());
}

TEST_CASE("answers that come twice do not send pieces twice") {
  // The sorcerer's apprentice: each doubled answer would double all that follow (simulation seed 1950).
  auto r = sending();
  const auto first = r.step(got(0, 10), start);
  CHECK(first.read_piece);
  CHECK_FALSE(r.step(got(0, 10), start).read_piece);
  CHECK(r.step(bytes_at(10), start).send_piece);
  const auto again = r.step(got(0, 10), start);
  CHECK_FALSE(again.read_piece);
  CHECK_FALSE(again.send_piece);
  CHECK_FALSE(r.step(bytes_at(10), start).send_piece);
  CHECK(r.step(got(10, 20), start).read_piece);
  // Nor does an answer of another snapshot, term or peer.
  r.step(bytes_at(20), start);
  CHECK_FALSE(r.step(got(20, 30, false, {{40, 1}, 30, 1}), start).read_piece);
  auto other = got(20, 20);
  other.head.term = 2;
  CHECK_FALSE(r.step(other, start).report);
}

TEST_CASE("after a silence the peer is asked where it stands, and the same snapshot goes on") {
  auto r = sending();
  r.step(got(0, 10), start);
  REQUIRE(r.step(bytes_at(10), start).send_piece);
  auto now = start;
  replicator_output out;
  while (!out.fetch && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.fetch);
  CHECK(now <= start + 2 * small().election_max);
  CHECK(r.current_mode() == mode::probe);
  out = r.step(fetched{out.fetch->first, 0, {}, true}, now);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->snapshot == picture);
  CHECK(out.read_piece->offset == 10);
  out = r.step(bytes_at(10), now);
  REQUIRE(out.send_piece);
  // It was the answer that got lost: the peer says what is due.
  CHECK(r.step(got(10, 20), now).read_piece->offset == 20);
}

TEST_CASE("a failure begins anew, after a pause") {
  auto r = sending();
  auto out = r.step(got(0, 0, true), start);
  CHECK_FALSE(out.read_piece);
  CHECK_FALSE(out.send_piece);
  auto now = start;
  out = {};
  while (!out.read_piece && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.read_piece);
  CHECK(now >= start + small().election_max);
  CHECK_FALSE(out.read_piece->snapshot);
  CHECK(out.read_piece->offset == 0);
}

TEST_CASE("pieces leave no faster than they may") {
  auto o = small();
  o.snapshot_bytes_per_second = 100; // 10 bytes each 100 ms
  auto r = sending(o);
  CHECK_FALSE(r.step(got(0, 10), start + 1ms).read_piece);
  auto now = start + 1ms;
  replicator_output out;
  while (!out.read_piece && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  CHECK(now == start + 100ms);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->offset == 10);
  // An answer that took longer than the pause brings the next one at once.
  r.step(bytes_at(10), now);
  CHECK(r.step(got(10, 20), now + 200ms).read_piece);
}

TEST_CASE("a snapshot that is gone, or never was, is asked for again later") {
  auto r = sending();
  REQUIRE(r.step(got(0, 10), start).read_piece);
  auto out = r.step(snapshot_piece{}, start);
  CHECK_FALSE(out.read_piece);
  CHECK(r.current_mode() == mode::snapshot);
  auto now = start;
  out = {};
  while (!out.read_piece && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.read_piece);
  CHECK(now >= start + small().election_min);
  CHECK_FALSE(out.read_piece->snapshot);
  // A newer one is there by now.
  const snapshot_id newer{{80, 1}, 20, 9};
  out = r.step(bytes_at(0, newer), now);
  REQUIRE(out.send_piece);
  CHECK(out.send_piece->snapshot == newer);
}

TEST_CASE("a piece without bytes is no piece: nobody is kept busy with it") {
  auto r = sending();
  REQUIRE(r.step(got(0, 10), start).read_piece);
  const auto out = r.step(snapshot_piece{picture, 10, {}}, start);
  CHECK_FALSE(out.send_piece);
  CHECK_FALSE(out.read_piece);
  CHECK(r.deadline() > start);
}

TEST_CASE("only a snapshot that brings the peer further is asked for") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  r.step(replicate{{}, 60, 60, 0}, start);
  CHECK(r.step(fetched{11, 0, {}, true}, start).read_piece->reach == 11);
}

TEST_CASE("a peer that lost its state gets a snapshot that reaches its log, wherever it is believed to be") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(say(true, 100), start);
  REQUIRE(r.current_mode() == mode::replicate);
  auto out = r.step(say(true, 0, 0, 40), start);
  CHECK(r.current_mode() == mode::snapshot);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->reach == 40);
  REQUIRE(r.step(bytes_at(0), start).send_piece);
  // Its other answers go on saying so.
  r.step(say(true, 0, 0, 40), start);
  CHECK(r.step(got(0, 10), start).read_piece->offset == 10);
  r.step(bytes_at(10), start);
  r.step(got(10, 20), start);
  r.step(bytes_at(20), start);
  out = r.step(say(true, 50), start);
  CHECK(r.current_mode() == mode::probe);
  CHECK(out.fetch->first == 101);
}

TEST_CASE("the snapshot for a peer that lost its state is gone on with after a silence") {
  // What the peer acknowledged long ago is beyond the snapshot: that does not make it useless.
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(say(true, 100), start);
  r.step(say(true, 0, 0, 40), start);
  r.step(bytes_at(0), start);
  r.step(got(0, 10), start);
  REQUIRE(r.step(bytes_at(10), start).send_piece);
  const auto now = start + 2 * small().election_max;
  r.step(tick{}, now);
  REQUIRE(r.current_mode() == mode::probe);
  r.step(fetched{101, 1, {}}, now);
  const auto out = r.step(say(true, 100, 0, 40), now);
  REQUIRE(r.current_mode() == mode::snapshot);
  REQUIRE(out.read_piece);
  CHECK(out.read_piece->snapshot == picture);
  CHECK(out.read_piece->offset == 10);
}

TEST_CASE("a late word of a lost state does not keep a healthy peer waiting") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(say(true, 100), start);
  r.step(say(true, 0, 0, 40), start);
  REQUIRE(r.current_mode() == mode::snapshot);
  // The peer's next answer says that it needs none.
  auto out = r.step(say(true, 0), start);
  CHECK(r.current_mode() == mode::probe);
  REQUIRE(out.fetch);
  r.step(fetched{101, 1, {}}, start);
  r.step(say(true, 100), start);
  CHECK(r.current_mode() == mode::replicate);
}

TEST_CASE("a peer that lost its state goes on getting entries while no snapshot serves it") {
  // Its copies may be what the leader needs to commit, and a snapshot that reaches far enough comes only then.
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 0, 0}};
  r.start(start);
  r.step(say(false, 100, 90, 80), start);
  REQUIRE(r.current_mode() == mode::snapshot);
  auto out = r.step(fetched{91, 1, {}}, start);
  out = r.step(snapshot_piece{}, start);
  REQUIRE(r.current_mode() == mode::probe);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 101);
  r.step(fetched{101, 1, {}}, start);
  r.step(say(false, 100, 90, 80), start);
  r.step(fetched{91, 1, {test::command(91, 1)}}, start);
  out = r.step(say(true, 90, 0, 80), start);
  CHECK(r.current_mode() == mode::replicate);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].entries.size() == 1);
  // The snapshot is asked for again after a pause.
  out = r.step(say(true, 91, 0, 80), start + small().election_min);
  CHECK(r.current_mode() == mode::snapshot);
  CHECK(out.read_piece);
}

TEST_CASE("entries that a compaction overtook on their way from the disk are asked for again") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  REQUIRE(r.step(replicate{{}, 60, 60, 0}, start).fetch);
  const auto out = r.step(fetched{11, 1, {test::command(41, 1)}}, start);
  CHECK(out.send.empty());
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  CHECK(r.step(fetched{11, 0, {}, true}, start).read_piece);
}

TEST_CASE("an answer to a sign of life does not end a snapshot that the log needs") {
  auto r = sending();
  r.step(say(true, 0), start);
  CHECK(r.current_mode() == mode::snapshot);
  CHECK(r.step(got(0, 10), start).read_piece);
}

namespace {

/// A leader with a log that is compacted at will and the snapshots that stand for it, a peer that stores pieces, and
/// bags of messages between them.
class snapshot_walk {
 public:
  explicit snapshot_walk(std::uint64_t seed) : random_(seed) {
    opts_.snapshot_chunk_bytes = 1 + random_.next() % 20;
    opts_.max_append_bytes = 40 + random_.next() % 200;
    opts_.max_inflight_messages = 1 + random_.next() % 5;
    if (seed % 3 == 0) opts_.snapshot_bytes_per_second = 100;
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
      if (random_.next() % 8 == 0) incoming_ = 0; // the peer's process starts anew
      break;
    default:
      exchange(random_.next() % 8 != 0);
      break;
    }
  }
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
  using question = std::variant<fetch_request, piece_request>;

  bool settled() const { return peer_last_ == last_ && needs_ == 0 && machine_->match() == last_; }

  void compact() {
    snapshots_.push_back({{last_ - random_.next() % 3, 1}, 1 + random_.next() % 60, random_.next()});
    if (snapshots_.size() > 2) snapshots_.erase(snapshots_.begin());
    if (snapshots_.back().last.index < snapshots_.front().last.index) std::swap(snapshots_[0], snapshots_[1]);
    start_ = std::max(start_, snapshots_.front().last.index);
  }
  void lose_state() { needs_ = std::max<index_t>(1, peer_last_ / 2); }

  void tell() { take(machine_->step(replicate{{}, last_, last_, 0}, now_)); }
  void tick() {
    now_ = std::max(now_ + 1ms, machine_->deadline());
    take(machine_->step(raft::tick{}, now_));
  }

  append_response receive(const append_request& m) {
    auto r = say(true, m.prev_index, 0, needs_);
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
  /// Nothing for a piece that is lost, for the one before is still being stored.
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
      return got(m.offset, 0, true, m.snapshot);
    }
    if (incoming_ < m.snapshot.size) return got(m.offset, incoming_, false, m.snapshot);
    if (needs_ > m.snapshot.last.index) return got(m.offset, 0, true, m.snapshot);
    needs_ = 0;
    peer_last_ = std::max(peer_last_, m.snapshot.last.index);
    return say(true, m.snapshot.last.index);
  }
  void answer(const fetch_request& q) {
    const auto prev = std::min(q.first - 1, last_);
    if (prev < start_) return take(machine_->step(fetched{q.first, 0, {}, true}, now_));
    fetched found{prev + 1, prev == 0 ? term_t{0} : term_t{1}, {}, false};
    for (auto i = prev + 1; i <= last_ && found.entries.size() < 4; ++i) found.entries.push_back(test::command(i, 1));
    take(machine_->step(found, now_));
  }
  void answer(const piece_request& q) {
    for (auto s = snapshots_.rbegin(); s != snapshots_.rend(); ++s) {
      if (q.snapshot ? q.snapshot != *s : s->last.index < q.reach) continue;
      const auto size = std::min<std::uint64_t>(q.max_bytes, s->size - q.offset);
      return take(machine_->step(snapshot_piece{*s, q.offset, bytes{std::string(size, 'x')}}, now_));
    }
    if (!q.snapshot) compact();
    take(machine_->step(snapshot_piece{}, now_));
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
      // A leader's own mailbox loses and doubles nothing, and keeps its order.
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
    if (out.send_piece) {
      REQUIRE(machine_->current_mode() == mode::snapshot);
      REQUIRE(++pieces_ < 3000);
      requests_.push_back(*out.send_piece);
    }
    if (out.fetch) questions_.push_back(*out.fetch);
    if (out.read_piece) questions_.push_back(*out.read_piece);
    REQUIRE(questions_.size() <= 2);
  }

  prng random_;
  options opts_;
  time_point now_ = start;
  /// From now on the peer's disk does not fail.
  bool calm_ = false;
  index_t last_ = 0;
  index_t start_ = 0;
  std::vector<snapshot_id> snapshots_;
  index_t peer_last_ = 0;
  index_t needs_ = 0;
  snapshot_id stored_;
  std::uint64_t incoming_ = 0;
  int pieces_ = 0;
  std::optional<replicator> machine_;
  std::vector<request> requests_;
  std::vector<reply> answers_;
  std::vector<question> questions_;
};

} // namespace

TEST_CASE("whatever is lost, doubled or late, the peer ends up with all of it") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    INFO("seed " << seed);
    snapshot_walk w{seed};
    for (int i = 0; i < 200; ++i) w.disturb();
    w.settle();
  }
}

} // namespace troupe::raft

// The replicator when the log does not reach back far enough for its peer: a snapshot in chunks, over an unreliable
// wire.
#include "raft/replicator.hpp"

#include "tests/unit/raft/replicator_answers.hpp"

#include <catch2/catch.hpp>

namespace troupe::raft {
namespace {

using namespace std::chrono_literals;
using mode = replicator::mode;

const time_point start{std::chrono::seconds{100}};
using test::got;
using test::say;

const snapshot_id& picture = test::picture;
constexpr std::uint64_t chunk = 10;

options small() {
  options o;
  o.snapshot_chunk_bytes = chunk;
  return o;
}

snapshot_chunk bytes_at(std::uint64_t offset, const snapshot_id& of = picture) {
  return {of, offset, bytes{std::string(std::min(chunk, of.size - offset), 'x')}};
}

/// A replicator of a leader whose log ends at 100, in mode snapshot, with its first chunk in flight.
replicator sending(options o = small()) {
  replicator r{{o, {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  const auto asked = r.step(say(false, 100, 5), start);
  REQUIRE(asked.fetch);
  CHECK(asked.fetch->first == 6);
  const auto out = r.step(fetched{6, 0, {}, true}, start);
  REQUIRE(r.current_mode() == mode::snapshot);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->offset == 0);
  CHECK_FALSE(out.read_chunk->snapshot);
  REQUIRE(r.step(bytes_at(0), start).send_chunk);
  return r;
}

} // namespace

TEST_CASE("a snapshot is sent from mode probe, one chunk at a time, and then the log continues") {
  auto r = sending();
  auto out = r.step(got(0, 10), start);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->offset == 10);
  CHECK(out.read_chunk->snapshot == picture);
  CHECK(out.report);
  out = r.step(bytes_at(10), start);
  REQUIRE(out.send_chunk);
  CHECK(out.send_chunk->offset == 10);
  r.step(got(10, 20), start);
  out = r.step(bytes_at(20), start);
  REQUIRE(out.send_chunk);
  // The last chunk is acknowledged when the snapshot is loaded.
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

TEST_CASE("a snapshot is sent from mode replicate when the log is compacted past a slow peer") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  REQUIRE(r.current_mode() == mode::replicate);
  auto out = r.step(replicate{{}, 60, 60, 0}, start);
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  out = r.step(fetched{11, 0, {}, true}, start);
  CHECK(r.current_mode() == mode::snapshot);
  CHECK(out.read_chunk);
  // Heartbeats continue, and claim nothing about the log.
  out = r.step(tick{}, r.deadline());
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].prev_index == 0);
  CHECK(out.send[0].entries.empty());
}

TEST_CASE("duplicated responses do not send chunks twice") {
  // The sorcerer's apprentice bug: each duplicated response would duplicate all that follow (simulation seed 1950).
  auto r = sending();
  const auto first = r.step(got(0, 10), start);
  CHECK(first.read_chunk);
  CHECK_FALSE(r.step(got(0, 10), start).read_chunk);
  CHECK(r.step(bytes_at(10), start).send_chunk);
  const auto again = r.step(got(0, 10), start);
  CHECK_FALSE(again.read_chunk);
  CHECK_FALSE(again.send_chunk);
  CHECK_FALSE(r.step(bytes_at(10), start).send_chunk);
  CHECK(r.step(got(10, 20), start).read_chunk);
  // Nor does a response of another snapshot, term or peer.
  r.step(bytes_at(20), start);
  CHECK_FALSE(r.step(got(20, 30, false, {{40, 1}, 30, 1}), start).read_chunk);
  auto other = got(20, 20);
  other.head.term = 2;
  CHECK_FALSE(r.step(other, start).report);
}

TEST_CASE("after a silence the peer is probed, and the same snapshot continues") {
  auto r = sending();
  r.step(got(0, 10), start);
  REQUIRE(r.step(bytes_at(10), start).send_chunk);
  auto now = start;
  replicator_output out;
  while (!out.fetch && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.fetch);
  CHECK(now <= start + 2 * small().election_max);
  CHECK(r.current_mode() == mode::probe);
  out = r.step(fetched{out.fetch->first, 0, {}, true}, now);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->snapshot == picture);
  CHECK(out.read_chunk->offset == 10);
  out = r.step(bytes_at(10), now);
  REQUIRE(out.send_chunk);
  // The response was lost: the peer reports which offset it expects.
  CHECK(r.step(got(10, 20), now).read_chunk->offset == 20);
}

TEST_CASE("after a failure the transfer starts over, after a pause") {
  auto r = sending();
  auto out = r.step(got(0, 0, true), start);
  CHECK_FALSE(out.read_chunk);
  CHECK_FALSE(out.send_chunk);
  auto now = start;
  out = {};
  while (!out.read_chunk && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.read_chunk);
  CHECK(now >= start + small().election_max);
  CHECK_FALSE(out.read_chunk->snapshot);
  CHECK(out.read_chunk->offset == 0);
}

TEST_CASE("chunks are sent no faster than the rate limit") {
  auto o = small();
  o.snapshot_bytes_per_second = 100; // 10 bytes per 100 ms
  auto r = sending(o);
  CHECK_FALSE(r.step(got(0, 10), start + 1ms).read_chunk);
  auto now = start + 1ms;
  replicator_output out;
  while (!out.read_chunk && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  CHECK(now == start + 100ms);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->offset == 10);
  // A response that took longer than the pause triggers the next chunk at once.
  r.step(bytes_at(10), now);
  CHECK(r.step(got(10, 20), now + 200ms).read_chunk);
}

TEST_CASE("a snapshot that is gone, or does not exist yet, is requested again later") {
  auto r = sending();
  REQUIRE(r.step(got(0, 10), start).read_chunk);
  auto out = r.step(snapshot_chunk{}, start);
  CHECK_FALSE(out.read_chunk);
  CHECK(r.current_mode() == mode::snapshot);
  auto now = start;
  out = {};
  while (!out.read_chunk && now < start + 10s) out = r.step(tick{}, now = r.deadline());
  REQUIRE(out.read_chunk);
  CHECK(now >= start + small().election_min);
  CHECK_FALSE(out.read_chunk->snapshot);
  // A newer one exists by now.
  const snapshot_id newer{{80, 1}, 20, 9};
  out = r.step(bytes_at(0, newer), now);
  REQUIRE(out.send_chunk);
  CHECK(out.send_chunk->snapshot == newer);
}

TEST_CASE("an empty chunk is not sent, and keeps the sender waiting for nothing") {
  auto r = sending();
  REQUIRE(r.step(got(0, 10), start).read_chunk);
  const auto out = r.step(snapshot_chunk{picture, 10, {}}, start);
  CHECK_FALSE(out.send_chunk);
  CHECK_FALSE(out.read_chunk);
  CHECK(r.deadline() > start);
}

TEST_CASE("only a snapshot that advances the peer is requested") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  r.step(replicate{{}, 60, 60, 0}, start);
  CHECK(r.step(fetched{11, 0, {}, true}, start).read_chunk->reach == 11);
}

/// A replicator of a leader whose log ends at 100; its peer has the whole log and has lost its state up to 40. The
/// first chunk of a snapshot is in flight.
replicator sending_beside(options o = small()) {
  replicator r{{o, {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  r.step(say(true, 100), start);
  const auto out = r.step(say(true, 100, 0, 40), start);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->reach == 40);
  CHECK(out.report->ineligible);
  REQUIRE(r.step(bytes_at(0), start).send_chunk);
  return r;
}

TEST_CASE("a peer that lost its state gets entries and a snapshot at once, and its acknowledgements count") {
  auto r = sending_beside();
  CHECK(r.current_mode() == mode::replicate);
  auto out = r.step(replicate{{test::command(101, 1)}, 101, 100, 0}, start);
  REQUIRE(out.send.size() == 1);
  CHECK(out.send[0].entries.size() == 1);
  out = r.step(say(true, 101, 0, 40), start);
  CHECK(out.report->match == 101);
  CHECK(out.report->ineligible);
  REQUIRE(out.report->transfer);
  CHECK(out.report->transfer->snapshot == picture);
  CHECK(r.step(got(0, 10), start).read_chunk->offset == 10);
  r.step(bytes_at(10), start);
  CHECK(r.step(got(10, 20), start).report->transfer->arrived == 20);
  REQUIRE(r.step(bytes_at(20), start).send_chunk);
  out = r.step(say(true, 50), start);
  CHECK_FALSE(out.report->transfer);
  CHECK_FALSE(out.report->ineligible);
  CHECK(r.current_mode() == mode::replicate);
  CHECK(r.match() == 101);
}

TEST_CASE("a peer that cannot install a snapshot keeps getting entries") {
  auto r = sending_beside();
  index_t last = 100;
  std::size_t entries = 0;
  bool wanted = r.step(got(0, 0, true), start).read_chunk.has_value();
  CHECK_FALSE(wanted);
  for (auto now = start; now < start + 600s;) {
    now = std::max(now + 1ms, r.deadline());
    auto out = r.step(tick{}, now);
    if (out.read_chunk) {
      REQUIRE(r.step(bytes_at(0), now).send_chunk);
      CHECK_FALSE(r.step(got(0, 0, true), now).read_chunk);
    }
    out = r.step(replicate{{test::command(++last, 1)}, last, last - 1, 0}, now);
    for (const auto& m : out.send) entries += m.entries.size();
    r.step(say(true, last, 0, 40), now);
  }
  CHECK(entries == last - 100);
  CHECK(r.match() == last);
}

TEST_CASE("the snapshot for a peer that lost its state is continued after a silence") {
  // The peer had acknowledged entries beyond the snapshot. That does not make the snapshot useless.
  auto r = sending_beside();
  r.step(got(0, 10), start);
  REQUIRE(r.step(bytes_at(10), start).send_chunk);
  const auto now = start + 2 * small().election_max;
  CHECK_FALSE(r.step(tick{}, now).read_chunk);
  // A silent peer is sent no more chunks.
  for (auto later = now; later < now + 60s; later = r.deadline()) CHECK_FALSE(r.step(tick{}, later).send_chunk);
  const auto out = r.step(say(true, 100, 0, 40), now + 60s);
  REQUIRE(out.read_chunk);
  CHECK(out.read_chunk->snapshot == picture);
  CHECK(out.read_chunk->offset == 10);
}

TEST_CASE("a late report of a lost state does not affect a healthy peer") {
  auto r = sending_beside();
  // The peer's next response says that it needs no snapshot.
  const auto out = r.step(say(true, 100), start);
  CHECK(r.current_mode() == mode::replicate);
  CHECK_FALSE(out.report->transfer);
  CHECK_FALSE(r.step(got(0, 10), start).read_chunk);
}

TEST_CASE("a peer that lost its state and is behind the log gets a snapshot that reaches both") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  auto out = r.step(say(false, 100, 60, 40), start);
  REQUIRE(out.fetch);
  CHECK(out.read_chunk->reach == 40);
  r.step(fetched{61, 0, {}, true}, start);
  CHECK(r.current_mode() == mode::snapshot);
  r.step(bytes_at(0), start);
  out = r.step(snapshot_chunk{picture, 0, bytes{std::string(10, 'x')}}, start);
  CHECK_FALSE(out.send_chunk);
}

TEST_CASE("while no snapshot is suitable for a peer that lost its state, it is requested repeatedly") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 100, 1, 100, 0}};
  r.start(start);
  REQUIRE(r.step(say(true, 100, 0, 80), start).read_chunk);
  CHECK_FALSE(r.step(snapshot_chunk{}, start).read_chunk);
  CHECK(r.current_mode() == mode::replicate);
  CHECK_FALSE(r.step(say(true, 100, 0, 80), start + 1ms).read_chunk);
  CHECK(r.step(say(true, 100, 0, 80), start + small().election_min).read_chunk);
}

TEST_CASE("entries that were compacted while they were read from the disk are requested again") {
  replicator r{{small(), {test::cluster, node_id{1}, node_id{2}, 1}, 10, 1, 10, 0}};
  r.start(start);
  r.step(say(true, 10), start);
  REQUIRE(r.step(replicate{{}, 60, 60, 0}, start).fetch);
  const auto out = r.step(fetched{11, 1, {test::command(41, 1)}}, start);
  CHECK(out.send.empty());
  REQUIRE(out.fetch);
  CHECK(out.fetch->first == 11);
  CHECK(r.step(fetched{11, 0, {}, true}, start).read_chunk);
}

TEST_CASE("a response to a heartbeat does not end a snapshot that the peer needs") {
  auto r = sending();
  r.step(say(true, 0), start);
  CHECK(r.current_mode() == mode::snapshot);
  CHECK(r.step(got(0, 10), start).read_chunk);
}

} // namespace troupe::raft

// Backups restored into a running cluster of real actors, in virtual time.
#include "tests/actor/cluster_steps.hpp"

#include <catch2/catch.hpp>

#include <cerrno>

using namespace troupe;
using namespace troupe::test;

namespace {

node_id other_than(node_id a, node_id b = {}) {
  for (const auto id : cluster_world::ids())
    if (id != a && id != b) return id;
  return {};
}

/// Checks that this node reads each put's key: with the acknowledged revision, or as absent.
void reads(cluster_world& w, node_id at, const std::vector<std::size_t>& puts, bool there) {
  std::vector<std::size_t> gets;
  for (const auto put : puts) gets.push_back(w.get(at, w.call(put).key));
  REQUIRE(w.run_until([&] {
    return std::all_of(gets.begin(), gets.end(), [&](std::size_t c) { return w.call(c).answered.has_value(); });
  }));
  for (std::size_t i = 0; i < puts.size(); ++i) {
    CAPTURE(w.call(puts[i]).key, at.value);
    REQUIRE(w.call(gets[i]).ok());
    REQUIRE(w.call(gets[i]).answered->revision == (there ? w.call(puts[i]).answered->revision : 0));
  }
}

bool all_ready(cluster_world& w) {
  const auto ids = cluster_world::ids();
  return std::all_of(ids.begin(), ids.end(), [&](node_id id) { return caught_up(w, id); });
}

/// A cluster that has put `kept`, taken a backup and then put `lost`.
struct story {
  explicit story(std::uint64_t seed) : w{seed} {
    leader = elected(w);
    kept = put_some(w, leader, "kept", 20);
    backup = w.snapshot(leader).value();
    bytes = w.bytes_of(leader, backup);
    lost = put_some(w, leader, "lost", 10);
    REQUIRE(w.run_until([&] { return all_ready(w); }));
  }
  /// Checks that this node has the backup's state, and the keys put since.
  void is_restored(node_id at, const std::vector<std::size_t>& since = {}) {
    reads(w, at, kept, true);
    reads(w, at, lost, false);
    reads(w, at, since, true);
  }
  bool restored_at(const std::shared_ptr<std::optional<late_answer>>& answer,
                   std::chrono::milliseconds patience = 20s) {
    if (!w.run_until([&] { return answer->has_value(); }, patience)) return false;
    CAPTURE((*answer)->error.message);
    REQUIRE((*answer)->error.code == errc::none);
    REQUIRE((*answer)->index > backup.last.index);
    return true;
  }

  cluster_world w;
  node_id leader;
  raft::snapshot_id backup;
  std::string bytes;
  std::vector<std::size_t> kept;
  std::vector<std::size_t> lost;
};

} // namespace

TEST_CASE("after a restore through any node, every node continues from the backup's state") {
  for (const bool at_leader : {true, false}) {
    story s{at_leader ? 41u : 42u};
    const auto at = at_leader ? s.leader : other_than(s.leader);
    REQUIRE(s.w.stage(at, s.backup, s.bytes).next == s.backup.size);
    REQUIRE(s.restored_at(s.w.restore(at, s.backup)));
    for (const auto id : cluster_world::ids()) {
      CHECK(s.w.has_staged(id, s.backup));
      s.is_restored(id);
    }
    const auto since = put_some(s.w, at, "since", 5);
    for (const auto id : cluster_world::ids()) s.is_restored(id, since);
    // Writes since the restore have higher revisions than any write before.
    for (const auto put : since) CHECK(s.w.call(put).answered->revision > s.w.call(s.lost.back()).answered->revision);
    // A node that comes back has a snapshot of the restored state.
    s.w.kill(at);
    s.w.start(at);
    REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
    s.is_restored(at, since);
    // Two snapshots hold the state, so the backup is no longer needed. A third snapshot finds nothing to remove.
    for (const auto* key : {"a", "b", "c"}) {
      s.w.run(200ms); // the followers learn the commit index
      for (const auto id : cluster_world::ids()) REQUIRE(s.w.snapshot(id));
      put_some(s.w, at, key, 1);
    }
    for (const auto id : cluster_world::ids()) CHECK_FALSE(s.w.has_staged(id, s.backup));
    s.w.kill(at);
    s.w.start(at);
    REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
    s.is_restored(at, since);
    CHECK(s.w.problems().empty());
  }
}

TEST_CASE("after a restore every node takes a snapshot at once, and restarts without the backup's file") {
  story s{66};
  REQUIRE(s.w.stage(s.leader, s.backup, s.bytes).next == s.backup.size);
  const auto answer = s.w.restore(s.leader, s.backup);
  REQUIRE(s.restored_at(answer));
  const auto ids = cluster_world::ids();
  REQUIRE(s.w.run_until([&] {
    return std::all_of(ids.begin(), ids.end(), [&](node_id id) {
      const auto now = s.w.status(id);
      return now && now->snapshot.last.index >= (*answer)->index;
    });
  }));
  for (const auto id : ids) {
    REQUIRE(s.w.has_staged(id, s.backup)); // only one of the two snapshots holds the state
    s.w.kill(id);
    s.w.spoil_staged(id, s.backup, false);
  }
  for (const auto id : ids) s.w.start(id);
  REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
  const auto since = put_some(s.w, s.leader, "since", 5);
  for (const auto id : ids) s.is_restored(id, since);
  CHECK(s.w.problems().empty());
}

TEST_CASE(
    "after a restart right after a restore, the snapshot follows, and two snapshots make the backup unnecessary") {
  for (const bool snapshot_first : {false, true}) {
    CAPTURE(snapshot_first);
    story s{snapshot_first ? 67u : 68u};
    const auto ids = cluster_world::ids();
    REQUIRE(s.w.stage(s.leader, s.backup, s.bytes).next == s.backup.size);
    const auto answer = s.w.restore(s.leader, s.backup);
    REQUIRE(s.restored_at(answer));
    const auto covered = [&] {
      return std::all_of(ids.begin(), ids.end(), [&](node_id id) {
        const auto now = s.w.status(id);
        return now && now->snapshot.last.index >= (*answer)->index;
      });
    };
    if (snapshot_first) REQUIRE(s.w.run_until(covered));
    for (const auto id : ids) s.w.kill(id);
    for (const auto id : ids) s.w.start(id);
    REQUIRE(s.w.run_until([&] { return all_ready(s.w) && covered(); }));
    for (const auto id : ids) CHECK(s.w.has_staged(id, s.backup));
    const auto since = put_some(s.w, s.leader, "since", 5);
    s.w.run(200ms); // the followers learn the commit index
    for (const auto id : ids) {
      REQUIRE(s.w.snapshot(id));
      s.is_restored(id, since);
    }
    for (const auto id : ids) REQUIRE(s.w.run_until([&] { return !s.w.has_staged(id, s.backup); }, 1s));
    CHECK(s.w.problems().empty());
  }
}

TEST_CASE("a node that missed the backup applies nothing beyond its restore, and gets a snapshot") {
  story s{43};
  const auto away = other_than(s.leader);
  s.w.kill(away);
  REQUIRE(s.w.stage(s.leader, s.backup, s.bytes).next == s.backup.size);
  REQUIRE(s.restored_at(s.w.restore(s.leader, s.backup)));
  const auto since = put_some(s.w, s.leader, "since", 5);
  s.w.start(away);
  REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
  CHECK_FALSE(s.w.has_staged(away, s.backup));
  for (const auto id : cluster_world::ids()) s.is_restored(id, since);
  // Its log was not truncated, and it works like any other node now.
  s.w.kill(s.leader);
  REQUIRE(s.w.run_until([&] { return s.w.leader().has_value(); }));
  const auto later = put_some(s.w, away, "later", 3);
  s.is_restored(away, later);
  CHECK(s.w.problems().empty());
}

TEST_CASE("a leader without the backup steps down and gets the state") {
  for (const bool altered : {false, true}) {
    story s{altered ? 44u : 45u};
    const auto at = other_than(s.leader);
    REQUIRE(s.w.stage(at, s.backup, s.bytes).next == s.backup.size);
    // The backup is sent to all nodes. Then the leader's copy is lost or damaged, which the leader does not know.
    const auto staged = [&](node_id id) { return s.w.has_staged(id, s.backup); };
    const auto answer = s.w.restore(at, s.backup);
    REQUIRE(s.w.run_until([&] { return staged(s.leader); }));
    s.w.spoil_staged(s.leader, s.backup, altered);
    REQUIRE(s.w.run_until([&] { return s.w.leader() && *s.w.leader() != s.leader; }));
    REQUIRE(s.w.run_until([&] { return answer->has_value() && all_ready(s.w); }, 400s));
    // The outcome may be unknown, since the leader that had the command stepped down.
    CHECK(outcome_of((*answer)->error.code) != outcome::rejected);
    for (const auto id : cluster_world::ids()) s.is_restored(id);
    const auto since = put_some(s.w, s.leader, "since", 3);
    for (const auto id : cluster_world::ids()) s.is_restored(id, since);
    s.w.kill(s.leader);
    s.w.start(s.leader);
    REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
    s.is_restored(s.leader, since);
    CHECK(s.w.problems().empty());
  }
}

TEST_CASE("when the leader dies after a majority has the backup, it is restored once or certainly not") {
  std::size_t restored = 0;
  for (std::uint64_t seed = 50; seed < 62; ++seed) {
    story s{seed};
    const auto at = other_than(s.leader);
    REQUIRE(s.w.stage(at, s.backup, s.bytes).next == s.backup.size);
    const auto answer = s.w.restore(at, s.backup);
    CAPTURE(seed);
    REQUIRE(s.w.run_until([&] {
      s.w.run_some(s.w.pick(20));
      return s.w.has_staged(s.leader, s.backup);
    }));
    s.w.run(std::chrono::milliseconds{s.w.pick(8)});
    s.w.kill(s.leader);
    REQUIRE(s.w.run_until([&] { return answer->has_value(); }, 400s));
    s.w.start(s.leader);
    REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
    const auto first = s.w.get(s.leader, s.w.call(s.lost.front()).key);
    REQUIRE(s.w.run_until([&] { return s.w.call(first).answered.has_value(); }));
    const bool is_restored = s.w.call(first).answered->revision == 0;
    restored += is_restored;
    CAPTURE(seed, (*answer)->error.message);
    if ((*answer)->error.code == errc::none) CHECK(is_restored);
    if (outcome_of((*answer)->error.code) == outcome::rejected) CHECK_FALSE(is_restored);
    for (const auto id : cluster_world::ids()) {
      reads(s.w, id, s.kept, true);
      reads(s.w, id, s.lost, !is_restored);
    }
    CHECK(s.w.problems().empty());
  }
  CHECK(restored > 0);
}

TEST_CASE("a backup that differs from the announced one is refused, and nothing changes") {
  story s{46};
  auto altered = s.bytes;
  altered[altered.size() / 2] ^= 1;
  const auto refused = s.w.stage(s.leader, s.backup, altered);
  CHECK(refused.code == errc::refused);
  CHECK(refused.problem.find("damaged") != std::string::npos);
  CHECK_FALSE(s.w.has_staged(s.leader, s.backup));
  // A truncated backup never reaches the announced size, and with another size it is a different backup.
  const auto half = std::string_view{s.bytes}.substr(0, s.bytes.size() / 2);
  CHECK(s.w.stage(s.leader, s.backup, half).next == half.size());
  auto shorter = s.backup;
  shorter.size = half.size();
  CHECK(s.w.stage(s.leader, shorter, half).code != errc::none);
  const auto answer = s.w.restore(s.leader, s.backup, 5s);
  REQUIRE(s.w.run_until([&] { return answer->has_value(); }));
  CHECK((*answer)->error.code == errc::refused);
  CHECK_THAT((*answer)->error.message, Catch::Contains("send it to this node first"));
  for (const auto id : cluster_world::ids()) {
    reads(s.w, id, s.kept, true);
    reads(s.w, id, s.lost, true);
  }
  // The transfer resumes after the half that was received.
  CHECK(s.w.stage(s.leader, s.backup, s.bytes).next == s.backup.size);
  REQUIRE(s.restored_at(s.w.restore(s.leader, s.backup)));
  for (const auto id : cluster_world::ids()) s.is_restored(id);
}

TEST_CASE("nothing is restored unless a majority holds the backup") {
  story s{47};
  const auto at = other_than(s.leader);
  REQUIRE(s.w.stage(at, s.backup, s.bytes).next == s.backup.size);
  s.w.kill(s.leader);
  s.w.kill(other_than(s.leader, at));
  const auto answer = s.w.restore(at, s.backup, 3s);
  REQUIRE(s.w.run_until([&] { return answer->has_value(); }));
  CHECK(outcome_of((*answer)->error.code) == outcome::rejected);
  s.w.start(s.leader);
  s.w.start(other_than(s.leader, at));
  REQUIRE(s.w.run_until([&] { return all_ready(s.w); }));
  reads(s.w, at, s.lost, true);
}

TEST_CASE("a backup with an index beyond the log is refused before anything is sent") {
  story s{48};
  cluster_world fresh{49};
  const auto leader = elected(fresh);
  REQUIRE(fresh.stage(leader, s.backup, s.bytes).next == s.backup.size);
  const auto answer = fresh.restore(leader, s.backup);
  REQUIRE(fresh.run_until([&] { return answer->has_value(); }));
  CHECK((*answer)->error.code == errc::refused);
  CHECK((*answer)->error.message.find("backwards") != std::string::npos);
  CHECK_FALSE(fresh.has_staged(other_than(leader), s.backup));
  const auto puts = put_some(fresh, leader, "more", static_cast<int>(s.backup.last.index));
  const auto later = fresh.restore(leader, s.backup);
  REQUIRE(fresh.run_until([&] { return later->has_value(); }));
  CHECK((*later)->error.code == errc::none); // its log is long enough now
  for (const auto id : cluster_world::ids()) reads(fresh, id, puts, false);
}

TEST_CASE("if the replica dies during a restore, it is not done before its entry, and unknown after") {
  for (const bool proposed : {false, true}) {
    story s{proposed ? 63u : 64u};
    const auto at = s.leader;
    REQUIRE(s.w.stage(at, s.backup, s.bytes).next == s.backup.size);
    if (!proposed) // the restore waits for a majority with room
      for (const auto id : cluster_world::ids())
        if (id != at)
          s.w.snapshot_files_of(id)->before_each([](const disk_operation&) {
            throw file_error{"write", "/staged", ENOSPC};
          });
    const auto answer = s.w.restore(at, s.backup);
    if (!proposed) s.w.run(20ms);
    REQUIRE_FALSE(answer->has_value());
    s.w.break_disk(at);
    // The next sync is that of the restore's entry, or of this put.
    if (!proposed) s.w.put(at, "something");
    REQUIRE(s.w.run_until([&] { return answer->has_value(); }));
    CAPTURE((*answer)->error.message);
    CHECK(outcome_of((*answer)->error.code) == (proposed ? outcome::unknown : outcome::rejected));
  }
}

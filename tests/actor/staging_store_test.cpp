// The staging store alone: what it accepts, what it keeps for how long, and the effects of disk errors and crashes.
#include "actors/replica/staging_store.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/memory_storage.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "services/restore_command.hpp"
#include "tests/actor/virtual_system.hpp"
#include "tests/unit/services/counter.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <troupe/log.hpp>
#include <troupe/services/map.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr raft::cluster_id other_cluster{8};
constexpr std::size_t chunk_bytes = 100;

struct backup {
  raft::snapshot_id id;
  std::string bytes;
};

/// A backup of another cluster, up to this index.
template <class Service> backup backup_at(raft::index_t index) {
  memory_file_system elsewhere;
  snapshot_dir theirs{elsewhere, "/snapshots", other_cluster};
  const auto out = theirs.create({{index, 3}, 1, {}});
  detail::make_machine(Service{})->view()->save(out->begin(Service::name));
  const auto id = out->finish();
  return {id, theirs.open(id)->read(0, id.size)};
}
backup map_backup(raft::index_t index) { return backup_at<map_service>(index); }

struct staging_world : virtual_system {
  std::shared_ptr<memory_file_system> disk;
  staging_handle store;

  explicit staging_world(std::shared_ptr<memory_file_system> on = std::make_shared<memory_file_system>())
      : disk(std::move(on)) {
    set_log_level(log_level::off);
    start();
  }
  ~staging_world() { stop(); }
  staging_world(const staging_world&) = delete;
  staging_world& operator=(const staging_world&) = delete;

  void start(std::vector<backup_use> uses = {}) {
    staging_store_setup setup;
    setup.uses = std::move(uses);
    setup.files = std::make_shared<snapshot_dir>(*disk, "/staged", raft::cluster_id{});
    setup.services.push_back([] { return detail::make_machine(map_service{}); });
    store = system.spawn<staging_store>(std::move(setup));
    settle();
  }
  void stop() {
    caf::anon_send_exit(store, caf::exit_reason::user_shutdown);
    store = nullptr;
    advance(1ms);
  }
  void restart(std::vector<backup_use> uses = {}) {
    stop();
    start(std::move(uses));
  }

  template <class Answer, class Question> Answer ask(Question question) {
    auto told = std::make_shared<std::optional<Answer>>();
    system.spawn<errand>([told, to = store, question](caf::event_based_actor* self) {
      self->request(to, caf::infinite, question).then([told](const Answer& answer) { *told = answer; });
    });
    settle();
    return told->value();
  }
  chunk_staged chunk(const raft::snapshot_id& id, std::uint64_t offset, std::string_view bytes) {
    return ask<chunk_staged>(stage_chunk{{}, id, offset, raft::bytes{std::string{bytes}}});
  }
  /// Sends the expected chunks until the store has all of them, or refuses.
  chunk_staged send(const backup& b) {
    auto answer = chunk(b.id, 0, {});
    while (answer.code == errc::none && answer.next < b.id.size)
      answer = chunk(b.id, answer.next, std::string_view{b.bytes}.substr(answer.next, chunk_bytes));
    return answer;
  }
  bool has(const backup& b) { return chunk(b.id, 0, {}).next == b.id.size; }
  bool use(const backup& b, index_t at) { return ask<backup_loaded>(load_backup{b.id, at}).state != nullptr; }
  void snapshots(index_t newest, index_t oldest) {
    compat::anon_send(store, raft::snapshot_taken{{newest, 1}, oldest});
    settle();
  }
  /// Advances the time in one step.
  void jump(std::chrono::milliseconds time) {
    system.coordinator().advance_time(time);
    settle();
  }
  std::size_t files() { return disk->list("/staged").size(); }
  /// Flips one byte of the backup on the disk.
  void damage(const backup& b) {
    disk->flip_byte(std::filesystem::path{"/staged"} / snapshot_format::file_name(b.id), b.id.size / 2);
  }
};

} // namespace

TEST_CASE("a backup of any cluster is received in chunks, whichever offsets are sent, and then read and loaded") {
  staging_world w;
  const auto b = map_backup(20);
  CHECK(w.chunk(b.id, 0, {}).next == 0);
  CHECK(w.files() == 0); // asking for the offset creates no file
  CHECK(w.chunk(b.id, 5, "late").next == 0);
  CHECK(w.chunk(b.id, 0, b.bytes.substr(0, 30)).next == 30);
  CHECK(w.chunk(b.id, 0, b.bytes.substr(0, 30)).next == 30);
  CHECK(w.chunk(b.id, 30, std::string(b.bytes.size(), 'x')).next == 30); // beyond the announced size
  CHECK_FALSE(w.use(b, 30));
  CHECK(w.ask<raft::snapshot_chunk>(raft::chunk_request{b.id, 0, 0, 10}).data.empty());
  CHECK(w.send(b).next == b.id.size);
  const auto part = w.ask<raft::snapshot_chunk>(raft::chunk_request{b.id, 0, 7, 50});
  CHECK(part.data.view() == b.bytes.substr(7, 50));
  CHECK(w.use(b, 30));
  w.restart();
  CHECK(w.has(b));
  CHECK(w.use(b, 30));
}

TEST_CASE("an altered or misnamed backup, or one of an unknown service, is refused and leaves nothing behind") {
  staging_world w;
  const auto good = map_backup(20);
  for (std::size_t at = 0; at < good.bytes.size(); at += 3) {
    auto altered = good;
    altered.bytes[at] = static_cast<char>(altered.bytes[at] ^ 4);
    const auto answer = w.send(altered);
    REQUIRE(answer.code == errc::refused);
    REQUIRE_FALSE(answer.problem.empty());
    REQUIRE(w.files() == 0);
  }
  auto misnamed = good;
  ++misnamed.id.last.index;
  CHECK(w.send(misnamed).code == errc::refused);
  const auto counters = backup_at<counter>(20);
  const auto answer = w.send(counters);
  CHECK(answer.code == errc::refused);
  CHECK_THAT(answer.problem, Catch::Contains("'counter'") || Catch::Contains("counter"));
  CHECK(w.chunk({{1, 1}, 0, 0}, 0, {}).code == errc::refused);
  CHECK(w.files() == 0);
  CHECK(w.send(good).next == good.id.size);
}

TEST_CASE("one backup is received at a time, and an idle transfer is abandoned after a minute") {
  staging_world w;
  const auto first = map_backup(20);
  const auto second = map_backup(21);
  w.chunk(first.id, 0, first.bytes.substr(0, 30));
  CHECK(w.send(second).code == errc::overloaded);
  w.jump(50s);
  CHECK(w.chunk(first.id, 30, first.bytes.substr(30, 10)).next == 40);
  w.jump(50s);
  CHECK(w.send(second).code == errc::overloaded);
  w.jump(11s);
  CHECK(w.files() == 0);
  CHECK(w.send(second).next == second.id.size);
  CHECK(w.chunk(first.id, 0, {}).next == 0);
}

TEST_CASE("two backups are kept: a third one does not replace one that was restored, or may be soon") {
  staging_world w;
  const auto first = map_backup(20);
  const auto second = map_backup(21);
  const auto third = map_backup(22);
  REQUIRE(w.send(first).next == first.id.size);
  REQUIRE(w.send(second).next == second.id.size);
  CHECK(w.send(third).code == errc::refused);
  CHECK(w.use(first, 30));
  w.jump(10min);
  CHECK(w.has(second)); // this asks for it again
  CHECK(w.send(third).code == errc::refused);
  w.jump(10min);
  CHECK(w.send(third).next == third.id.size);
  CHECK(w.has(first));
  CHECK_FALSE(w.has(second));
}

TEST_CASE("a restored backup is dropped when both snapshots cover its restore, another one after a day") {
  staging_world w;
  const auto used = map_backup(20);
  const auto unused = map_backup(21);
  REQUIRE(w.send(used).next == used.id.size);
  REQUIRE(w.send(unused).next == unused.id.size);
  REQUIRE(w.use(used, 30));
  w.snapshots(35, 0);
  w.snapshots(40, 29);
  CHECK(w.files() == 2);
  w.snapshots(45, 30);
  CHECK(w.files() == 1);
  CHECK_FALSE(w.has(used));
  CHECK(w.has(unused));
  // A backup that was restored again is needed until snapshots cover the later restore.
  REQUIRE(w.send(used).next == used.id.size);
  REQUIRE(w.use(used, 50));
  REQUIRE(w.use(used, 60));
  w.snapshots(59, 55);
  CHECK(w.files() == 2);
  w.jump(24h - 2s);
  w.snapshots(61, 59);
  CHECK(w.files() == 2);
  w.jump(2s);
  CHECK(w.files() == 2); // time alone drops nothing: an entry of the log may not be applied yet
  w.snapshots(62, 59);
  CHECK(w.files() == 1);
  CHECK(w.has(used));
}

TEST_CASE("a backup that a second restore asks for is kept, even if snapshots cover the first restore") {
  staging_world w;
  const auto b = map_backup(20);
  REQUIRE(w.send(b).next == b.id.size);
  REQUIRE(w.use(b, 30));
  CHECK(w.has(b)); // the second restore asks for it
  w.snapshots(45, 40);
  CHECK(w.files() == 1);
  REQUIRE(w.use(b, 50));
  w.snapshots(55, 45);
  CHECK(w.files() == 1);
  CHECK(w.has(b)); // a third restore asks, but is never done
  w.jump(10min);
  w.snapshots(65, 55);
  CHECK(w.files() == 0);
}

TEST_CASE("a restarted node learns from its log which backups were restored, and until when it needs them") {
  const auto b = map_backup(20);
  const auto other = map_backup(21);
  memory_storage storage;
  raft::write change;
  for (raft::index_t i = 1; i <= 60; ++i)
    change.append.push_back({i, 1, raft::entry_kind::command, raft::bytes{std::string{"some command"}}});
  change.append[29].data = raft::bytes{services::encode_restore(b.id)};
  change.append[39].data = raft::bytes{services::encode_restore(b.id)};
  // A backup with an index beyond its restore entry is not restored.
  change.append[9].data = raft::bytes{services::encode_restore(other.id)};
  storage.apply(change);
  storage.sync();
  const auto uses = backup_uses(storage, storage.contents(), {});
  REQUIRE(uses.size() == 2);
  CHECK(uses[0].backup == b.id);
  CHECK(uses[0].at == 30);
  CHECK(uses[1].backup == b.id);
  CHECK(uses[1].at == 40);

  staging_world w;
  REQUIRE(w.send(b).next == b.id.size);
  REQUIRE(w.send(other).next == other.id.size);
  w.restart(uses);
  w.snapshots(50, 39);
  CHECK(w.files() == 2);
  w.snapshots(60, 40);
  CHECK(w.files() == 1);
  CHECK(w.has(other));
}

TEST_CASE("after a power loss before any disk call, a backup is complete or absent") {
  const auto b = map_backup(20);
  std::size_t points = 0;
  std::size_t whole = 0;
  bool acknowledged = false;
  staging_world w;
  w.disk->before_each([&](const disk_operation&) {
    for (const bool lands : {false, true}) {
      ++points;
      staging_world after{w.disk->crashed([lands] { return lands; })};
      const bool there = after.has(b);
      whole += there;
      REQUIRE((there || !acknowledged));
      REQUIRE(after.files() == (there ? 1 : 0));
      REQUIRE(after.use(b, 30) == there);
      REQUIRE(after.send(b).next == b.id.size);
    }
  });
  REQUIRE(w.send(b).next == b.id.size);
  acknowledged = true;
  REQUIRE(w.use(b, 30));
  w.restart();
  w.disk->before_each({});
  staging_world after{w.disk->crashed([] { return false; })};
  CHECK(after.has(b));
  std::cout << "crash points while a backup is staged: " << points << ", whole after " << whole << "\n";
  CHECK(points >= 10);
  CHECK(whole > 0);
}

TEST_CASE("if any disk call fails once, the answer says so, and the backup can be sent again") {
  const auto b = map_backup(20);
  for (const int code : {EIO, ENOSPC}) {
    for (std::size_t failing = 1;; ++failing) {
      CAPTURE(code, failing);
      staging_world w;
      std::size_t calls = 0;
      w.disk->before_each([&](const disk_operation& operation) {
        if (++calls == failing) throw file_error("call", operation.path, code);
      });
      const auto answer = w.send(b);
      w.disk->before_each({});
      if (calls < failing) break;
      if (answer.code != errc::none) {
        CHECK_FALSE(answer.problem.empty());
        CHECK_FALSE(w.has(b));
      }
      REQUIRE(w.send(b).next == b.id.size);
      REQUIRE(w.use(b, 30));
    }
  }
}

TEST_CASE("a damaged backup is quarantined when it is needed, and can be received again") {
  const auto b = map_backup(20);
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    staging_world w;
    REQUIRE(w.send(b).next == b.id.size);
    REQUIRE(w.use(b, 30));
    w.damage(b);
    if (restarted) w.restart();
    CHECK_FALSE(w.use(b, 31));
    CHECK_FALSE(w.has(b)); // this node does not count as a holder
    CHECK(w.files() == 1); // the quarantined file is kept for inspection
    CHECK(w.ask<raft::snapshot_chunk>(raft::chunk_request{b.id, 0, 0, 10}).data.empty());
    const auto again = w.send(b);
    CHECK(again.code == errc::none);
    CHECK(again.next == b.id.size);
    CHECK(w.use(b, 31));
    w.restart();
    CHECK(w.has(b));
    CHECK(w.use(b, 31));
  }
}

TEST_CASE("damage is detected when a backup is sent again, also by a node that has restored it") {
  const auto b = map_backup(20);
  staging_world w;
  REQUIRE(w.send(b).next == b.id.size);
  REQUIRE(w.use(b, 30));
  w.damage(b);
  CHECK(w.has(b)); // it was read recently, so it is not checked
  w.jump(10min);
  CHECK_FALSE(w.has(b));
  REQUIRE(w.send(b).next == b.id.size);
  CHECK(w.use(b, 30));
  for (int i = 0; i < 4; ++i) { // quarantined files do not accumulate
    w.damage(b);
    w.restart();
    REQUIRE(w.send(b).next == b.id.size);
    CHECK(w.files() <= 3);
  }
}

TEST_CASE("a temporary error in any disk call is retried, and nothing is lost") {
  const auto b = map_backup(20);
  std::size_t failures = 0;
  for (std::size_t failing = 1;; ++failing) {
    CAPTURE(failing);
    staging_world w;
    std::size_t calls = 0;
    const auto fail_once = [&](const disk_operation& operation) {
      using enum disk_operation::kind_t;
      if (operation.kind == sync || operation.kind == sync_directory || ++calls != failing) return;
      ++failures;
      throw file_error("call", operation.path, EMFILE);
    };
    w.disk->before_each(fail_once);
    w.disk->before_each_read(fail_once);
    auto answer = w.chunk(b.id, 0, {});
    for (int turns = 0; answer.next < b.id.size && turns < 100; ++turns) {
      if (answer.code != errc::none) REQUIRE(answer.code == errc::overloaded);
      const auto before = answer.next;
      answer = w.chunk(b.id, before, std::string_view{b.bytes}.substr(before, chunk_bytes));
      if (answer.code != errc::none) answer.next = before; // the received part is kept
    }
    REQUIRE(answer.next == b.id.size);
    auto told = std::make_shared<std::optional<backup_loaded>>();
    w.system.spawn<errand>([told, to = w.store, &b](caf::event_based_actor* self) {
      self->request(to, caf::infinite, load_backup{b.id, 30}).then([told](const backup_loaded& a) { *told = a; });
    });
    w.advance(1s);
    REQUIRE(*told);
    REQUIRE((*told)->state);
    w.disk->before_each({});
    w.disk->before_each_read({});
    REQUIRE(w.files() == 1);
    if (calls < failing) break;
  }
  CHECK(failures > 20);
}

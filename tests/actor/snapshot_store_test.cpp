// The snapshot store alone: its jobs, transfers, downloads, and unused states.
#include "actors/replica/snapshot_store.hpp"
#include "runtime/storage/memory_file_system.hpp"
#include "runtime/storage/snapshot_dir.hpp"
#include "runtime/storage/snapshot_format.hpp"
#include "tests/actor/virtual_system.hpp"
#include "tests/unit/services/counter.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <optional>
#include <troupe/log.hpp>
#include <troupe/services/map.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr raft::cluster_id cluster{7};
const raft::snapshot_point place{{9, 2}, 1, {}};

/// The messages that the role and the dispatcher got.
struct told {
  std::vector<chunk_stored> chunks;
  std::vector<snapshot_written> written;
  std::vector<raft::snapshot_id> lost;
};

class listener : public compat::untyped_base {
 public:
  listener(caf::actor_config& config, std::shared_ptr<told> what)
      : compat::untyped_base(config), what_(std::move(what)) {
    drop_unexpected();
  }
  caf::behavior make_behavior() override {
    return {
        [this](const chunk_stored& m) { what_->chunks.push_back(m); },
        [this](const snapshot_written& m) { what_->written.push_back(m); },
        [this](const snapshot_lost& m) { what_->lost.push_back(m.id); },
        [](const raft::snapshot_taken&) {}, // caf::drop would answer with an error, which ends the sender
    };
  }

 private:
  std::shared_ptr<told> what_;
};

/// A map that counts its live objects.
class counted_machine final : public detail::machine {
 public:
  explicit counted_machine(int& count) : count_(count), map_(detail::make_machine(map_service{})) { ++count_; }
  ~counted_machine() override { --count_; }
  std::string_view name() const noexcept override { return map_->name(); }
  detail::reply apply(std::string_view, std::string_view, const apply_context&) override { return {}; }
  detail::reply query(std::string_view, std::string_view) const override { return {}; }
  std::unique_ptr<detail::machine_view> view() const override { return map_->view(); }
  void load(detail::snapshot_source& from) override { map_->load(from); }

 private:
  int& count_;
  std::unique_ptr<detail::machine> map_;
};

struct store_world : virtual_system {
  memory_file_system disk;
  std::shared_ptr<snapshot_dir> files = std::make_shared<snapshot_dir>(disk, "/snapshots", cluster);
  std::shared_ptr<told> heard = std::make_shared<told>();
  int machines = 0;
  caf::actor ear = system.spawn<listener>(heard);
  snapshot_store_handle store;

  store_world() {
    set_log_level(log_level::off);
    snapshot_store_setup setup;
    setup.files = files;
    setup.services.push_back([this] { return std::make_unique<counted_machine>(machines); });
    setup.detach_jobs = false;
    store = system.spawn<snapshot_store>(std::move(setup));
    compat::anon_send(store, attach_dispatcher{caf::actor_cast<dispatcher_handle>(ear)});
    compat::anon_send(store, role_changed{1, raft::role_kind::follower, 1, caf::actor_cast<role_handle>(ear), 0, {}});
    settle();
  }
  ~store_world() {
    caf::anon_send_exit(store, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(ear, caf::exit_reason::kill);
    store = nullptr;
    ear = nullptr;
    advance(1ms);
  }
  store_world(const store_world&) = delete;
  store_world& operator=(const store_world&) = delete;

  void write() {
    const auto map = detail::make_machine(map_service{});
    compat::anon_send(store, write_snapshot{place, {{std::string{map->name()}, map->view()}}});
  }
  /// The bytes of a snapshot of another node.
  template <class Service = map_service> std::string foreign(raft::snapshot_id& id, index_t at = 20) {
    memory_file_system elsewhere;
    snapshot_dir theirs{elsewhere, "/snapshots", cluster};
    const auto machine = detail::make_machine(Service{});
    const auto out = theirs.create({{at, 3}, 1, {}});
    machine->view()->save(out->begin(machine->name()));
    id = out->finish();
    return theirs.open(id)->read(0, id.size);
  }
  template <class Answer, class Question> caf::expected<Answer> ask(Question question) {
    auto told = std::make_shared<std::optional<caf::expected<Answer>>>();
    system.spawn<errand>([told, to = store, question](caf::event_based_actor* self) {
      self->request(to, caf::infinite, question)
          .then([told](const Answer& answer) { told->emplace(answer); },
                [told](const caf::error& why) { told->emplace(why); });
    });
    settle();
    return told->value();
  }
  raft::snapshot_id write_at(index_t at) {
    const auto map = detail::make_machine(map_service{});
    const raft::snapshot_point there{{at, 2}, 1, {}};
    compat::anon_send(store, write_snapshot{there, {{std::string{map->name()}, map->view()}}});
    settle();
    return heard->written.back().id;
  }
  void send_chunk(const raft::snapshot_id& id, std::uint64_t offset, std::string bytes) {
    compat::anon_send(store, store_chunk{{{cluster, {2}, {1}, 3}, id, offset, raft::bytes{std::move(bytes)}, 0}});
    settle();
  }
};

} // namespace

TEST_CASE("a store that ends waits for its writing job, and the job stops early") {
  store_world w;
  bool gone = false;
  caf::actor_cast<caf::actor>(w.store)->attach_functor([&](const caf::error&) { gone = true; });
  w.write();
  caf::anon_send_exit(w.store, caf::exit_reason::user_shutdown);
  std::weak_ptr<snapshot_dir> files = w.files;
  w.files.reset();
  w.settle();
  CHECK(gone);
  // The files are released, and no snapshot was made.
  CHECK(files.expired());
  CHECK(snapshot_dir(w.disk, "/snapshots", cluster).list().empty());
}

TEST_CASE("an unused loaded state is freed by the store, not by the actor that drops it") {
  store_world w;
  raft::snapshot_id id;
  const auto bytes = w.foreign(id);
  w.send_chunk(id, 0, bytes);
  REQUIRE(w.heard->chunks.size() == 1);
  REQUIRE(w.heard->chunks[0].state);
  CHECK(w.heard->chunks[0].state->id == id);
  CHECK(w.machines == 1);
  w.heard->chunks.clear();
  CHECK(w.machines == 1); // it was sent back to the store
  w.settle();
  CHECK(w.machines == 0);
}

TEST_CASE("an abandoned transfer leaves nothing behind, and can start again") {
  store_world w;
  raft::snapshot_id id;
  const auto bytes = w.foreign(id);
  w.send_chunk(id, 0, bytes.substr(0, 10));
  REQUIRE(w.disk.list("/snapshots").size() == 1);
  w.advance(50s);
  w.send_chunk(id, 10, bytes.substr(10, 10));
  w.advance(50s);
  CHECK(w.disk.list("/snapshots").size() == 1);
  w.advance(20s);
  CHECK(w.disk.list("/snapshots").empty());
  w.send_chunk(id, 20, bytes.substr(20, 10));
  CHECK(w.heard->chunks.back().what.next == 0);
  w.send_chunk(id, 0, bytes);
  CHECK(w.heard->chunks.back().what.complete);
}

TEST_CASE("an undamaged snapshot is checked once, not for every follower that cannot load it") {
  store_world w;
  w.write();
  w.settle();
  REQUIRE(w.heard->written.size() == 1);
  const auto id = w.heard->written[0].id;
  REQUIRE(id);
  for (int i = 0; i < 3; ++i) compat::anon_send(w.store, check_snapshot{id});
  w.settle();
  CHECK(w.heard->lost.empty());
  CHECK(w.files->list() == std::vector{id});
}

TEST_CASE("received snapshots that cannot be loaded leave nothing behind, and the own one is kept") {
  store_world w;
  const auto own = w.write_at(9);
  for (index_t at = 20; at < 80; at += 10) {
    raft::snapshot_id id;
    const auto bytes = w.foreign<counter>(id, at);
    w.send_chunk(id, 0, bytes);
    REQUIRE(w.heard->chunks.size() == at / 10 - 1);
    CHECK(w.heard->chunks.back().what.failed);
    CHECK_FALSE(w.heard->chunks.back().state);
    CHECK(w.files->list() == std::vector{own});
    CHECK(w.disk.list("/snapshots").size() == 1);
  }
  raft::snapshot_id good;
  const auto bytes = w.foreign(good, 90);
  w.send_chunk(good, 0, bytes);
  CHECK(w.heard->chunks.back().what.complete);
  CHECK(w.files->list() == std::vector{good, own});
}

TEST_CASE("a complete file that cannot be loaded does not block the leader's snapshot") {
  store_world w;
  raft::snapshot_id id;
  const auto bytes = w.foreign(id);
  w.send_chunk(id, 0, bytes);
  REQUIRE(w.heard->chunks.back().what.complete);
  w.disk.flip_byte(std::filesystem::path{"/snapshots"} / snapshot_format::file_name(id), id.size / 2);
  w.send_chunk(id, 0, bytes);
  CHECK(w.heard->chunks.back().what.failed);
  CHECK(w.heard->lost == std::vector{id});
  CHECK(w.files->list().empty());
  w.send_chunk(id, 0, bytes);
  CHECK(w.heard->chunks.back().what.complete);
  CHECK(w.files->list() == std::vector{id});
}

TEST_CASE("a temporary error in any disk call of a transfer: each chunk is answered, and the transfer resumes") {
  std::size_t failures = 0;
  for (std::size_t failing = 1;; ++failing) {
    CAPTURE(failing);
    store_world w;
    raft::snapshot_id id;
    const auto bytes = w.foreign(id);
    std::size_t calls = 0;
    const auto fail_once = [&](const disk_operation& operation) {
      using enum disk_operation::kind_t;
      if (operation.kind == sync || operation.kind == sync_directory || ++calls != failing) return;
      ++failures;
      throw file_error("call", operation.path, ENOMEM);
    };
    w.disk.before_each(fail_once);
    w.disk.before_each_read(fail_once);
    std::uint64_t next = 0;
    for (std::size_t turns = 1; turns < 100; ++turns) {
      w.send_chunk(id, next, bytes.substr(next, 50));
      // The role sends no other chunk before it gets this answer.
      REQUIRE(w.heard->chunks.size() == turns);
      if (w.heard->chunks.back().what.failed) continue;
      next = w.heard->chunks.back().what.next;
      if (w.heard->chunks.back().what.complete) break;
    }
    REQUIRE(w.heard->chunks.back().state);
    w.disk.before_each({});
    w.disk.before_each_read({});
    REQUIRE(w.files->list() == std::vector{id});
    if (calls < failing) break;
  }
  CHECK(failures > 20);
}

TEST_CASE("a backup stays readable during a download while newer snapshots replace it") {
  store_world w;
  const auto first = w.write_at(10);
  const auto download = w.ask<backup_opened>(open_backup{first});
  REQUIRE(download);
  std::string got;
  for (index_t at = 20; at < 100; at += 10) {
    w.write_at(at);
    const auto other = w.ask<backup_opened>(open_backup{w.heard->written.back().id});
    REQUIRE(other);
    compat::anon_send(w.store, close_backup{other->download});
    const auto chunk = w.ask<backup_chunk>(read_backup{download->download, got.size(), 20});
    REQUIRE(chunk);
    got += chunk->data;
    w.advance(30s);
  }
  CHECK(w.files->list().front().last.index == 90);
  while (true) {
    const auto chunk = w.ask<backup_chunk>(read_backup{download->download, got.size(), 20});
    REQUIRE(chunk);
    if (chunk->data.empty()) break;
    got += chunk->data;
  }
  CHECK(got.size() == first.size);
}

TEST_CASE("a download survives a temporary read error, and ends with any other") {
  store_world w;
  const auto id = w.write_at(10);
  const auto download = w.ask<backup_opened>(open_backup{id});
  REQUIRE(download);
  const auto read = [&](int code) {
    w.disk.before_each_read([code](const disk_operation&) {
      if (code != 0) throw file_error("read", "/snapshots/x", code);
    });
    auto answer = w.ask<backup_chunk>(read_backup{download->download, 0, 10});
    w.disk.before_each_read({});
    return answer;
  };
  for (const int code : {EMFILE, ENOMEM, EINTR}) {
    INFO(code);
    const auto failed = read(code);
    REQUIRE_FALSE(failed);
    CHECK(describe(failed.error()).code == errc::overloaded);
    CHECK(read(0));
  }
  const auto failed = read(EIO);
  REQUIRE_FALSE(failed);
  CHECK(describe(failed.error()).code == errc::refused);
}

TEST_CASE("a read of a download must ask for bytes, and a number that is not open is refused") {
  store_world w;
  const auto id = w.write_at(10);
  const auto download = w.ask<backup_opened>(open_backup{id})->download;
  CHECK(w.ask<backup_chunk>(read_backup{download})->data.size() == id.size);
  for (const auto& wrong : {read_backup{download, 0, 0}, read_backup{download + 1}}) {
    const auto refused = w.ask<backup_chunk>(wrong);
    REQUIRE_FALSE(refused);
    CHECK(describe(refused.error()).code == errc::refused);
  }
}

TEST_CASE("an idle download is closed after a minute, and there are eight at most") {
  store_world w;
  const auto id = w.write_at(10);
  std::vector<std::uint64_t> open;
  for (int i = 0; i < 8; ++i) open.push_back(w.ask<backup_opened>(open_backup{id})->download);
  const auto ninth = w.ask<backup_opened>(open_backup{id});
  REQUIRE_FALSE(ninth);
  CHECK(describe(ninth.error()).code == errc::overloaded);
  compat::anon_send(w.store, close_backup{open[3]});
  CHECK(w.ask<backup_opened>(open_backup{id}));
  w.advance(50s);
  CHECK(w.ask<backup_chunk>(read_backup{open[0], 0, 10}));
  w.advance(11s);
  CHECK(w.ask<backup_chunk>(read_backup{open[0], 10, 10}));
  CHECK_FALSE(w.ask<backup_chunk>(read_backup{open[1], 0, 10}));
  CHECK(w.ask<backup_opened>(open_backup{id}));
}

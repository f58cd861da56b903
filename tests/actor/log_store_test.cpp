// The log store alone: the order of its messages, and its reaction to temporary errors.
#include "actors/replica/log_store.hpp"
#include "runtime/storage/memory_storage.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <troupe/log.hpp>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// How a test controls and observes the disk.
struct disk_face {
  bool exhausted = false;
  bool broken = false;
  bool room = true;
  int looks = 0;
  int syncs = 0;
};

class faced_storage final : public raft::storage {
 public:
  explicit faced_storage(std::shared_ptr<disk_face> face) : face_(std::move(face)) {}
  void apply(const raft::write& change) override { memory_.apply(change); }
  void sync() override {
    ++face_->syncs;
    if (face_->broken) throw raft::storage_error("Input/output error");
    if (face_->exhausted) throw raft::storage_error("too many open files", false, false, true);
    memory_.sync();
  }
  std::vector<raft::entry> read(raft::index_t first, raft::index_t last, std::size_t max_bytes) override {
    return memory_.read(first, last, max_bytes);
  }
  void compact(raft::index_t up_to) override { memory_.compact(up_to); }
  bool has_room() override {
    ++face_->looks;
    return face_->room;
  }

 private:
  std::shared_ptr<disk_face> face_;
  memory_storage memory_;
};

/// Replaces both the role and links, so that the order of the messages to both is visible.
class listener : public compat::untyped_base {
 public:
  listener(caf::actor_config& config, std::shared_ptr<std::vector<std::string>> heard)
      : compat::untyped_base(config), heard_(std::move(heard)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const log_synced& m) { heard_->push_back("synced " + std::to_string(m.mark.number)); },
        [this](const outbound&) { heard_->push_back("outbound"); },
        [this](const raft::disk_space& m) { heard_->push_back(m.enough ? "room" : "no room"); },
    };
  }

 private:
  std::shared_ptr<std::vector<std::string>> heard_;
};

struct log_world : virtual_system {
  std::shared_ptr<disk_face> disk = std::make_shared<disk_face>();
  std::shared_ptr<std::vector<std::string>> heard = std::make_shared<std::vector<std::string>>();
  caf::actor around;
  log_store_handle subject;
  std::uint64_t writes = 0;

  log_world() {
    set_log_level(log_level::off);
    around = system.spawn<listener>(heard);
    subject = system.spawn<log_store>(std::make_unique<faced_storage>(disk), raft::recovered{},
                                      caf::actor_cast<links_handle>(around));
    compat::anon_send(subject, attach_role{1, caf::actor_cast<role_handle>(around)});
    settle();
    heard->clear();
  }
  ~log_world() {
    for (const auto& part : {caf::actor_cast<caf::actor>(subject), around})
      caf::anon_send_exit(part, caf::exit_reason::user_shutdown);
    advance(2s); // the actor's pending timer keeps it alive
  }
  log_world(const log_world&) = delete;
  log_world& operator=(const log_world&) = delete;

  void write() {
    store_write message;
    message.change.number = ++writes;
    message.change.append = {{writes, 1, raft::entry_kind::noop, {}}};
    message.then_send = {raft::append_response{}};
    compat::anon_send(subject, std::move(message));
  }
  std::shared_ptr<std::optional<raft::durable_mark>> ask_for_sync(const std::shared_ptr<bool>& failed = {}) {
    auto answer = std::make_shared<std::optional<raft::durable_mark>>();
    system.spawn<errand>([answer, failed, to = subject](caf::event_based_actor* self) {
      self->request(to, caf::infinite, sync_log{})
          .then([answer](const log_synced& m) { *answer = m.mark; },
                [failed](const caf::error&) {
                  if (failed) *failed = true;
                });
    });
    return answer;
  }
};

} // namespace

TEST_CASE("the role learns that a write is on disk before the messages that waited for it are sent") {
  log_world w;
  w.write();
  w.write();
  w.settle();
  CHECK(*w.heard == std::vector<std::string>{"synced 2", "outbound"});
  CHECK(w.disk->syncs == 1);
}

TEST_CASE("sync_log is answered when all earlier writes are on disk") {
  log_world w;
  const auto nothing = w.ask_for_sync();
  w.settle();
  REQUIRE(*nothing);
  CHECK((*nothing)->number == 0);
  w.disk->exhausted = true;
  w.write();
  const auto waits = w.ask_for_sync();
  w.advance(200ms);
  CHECK_FALSE(*waits);
  w.disk->exhausted = false;
  w.advance(100ms);
  REQUIRE(*waits);
  CHECK((*waits)->number == 1);
  CHECK((*waits)->last_index == 1);
}

TEST_CASE("sync_log fails if the sync fails permanently") {
  log_world w;
  w.disk->exhausted = true;
  w.write();
  const auto failed = std::make_shared<bool>(false);
  const auto waits = w.ask_for_sync(failed);
  w.advance(10ms);
  REQUIRE_FALSE(*failed);
  w.disk->broken = true;
  w.advance(100ms);
  CHECK(*failed);
  CHECK_FALSE(*waits);
}

TEST_CASE("retries of a sync do not check for room each time, and do not wait for that check") {
  log_world w;
  w.disk->room = false;
  w.write();
  w.settle();
  CHECK(w.heard->back() == "no room");
  w.disk->exhausted = true;
  w.write();
  w.settle();
  w.disk->looks = w.disk->syncs = 0;
  w.advance(900ms);
  CHECK(w.disk->syncs >= 10);
  CHECK(w.disk->looks <= 1);
  w.disk->exhausted = false;
  w.disk->room = true;
  w.advance(1100ms);
  CHECK(w.heard->back() == "room");
}

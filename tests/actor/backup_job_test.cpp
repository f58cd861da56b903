// A backup that is ready after its deadline leaves no file open.
#include "runtime/backup_job.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <utility>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// Replaces a node's proxy, dispatcher and snapshot store, which answer when the test lets them.
class slow_parts : public compat::untyped_base {
 public:
  struct record {
    std::optional<caf::typed_response_promise<snapshot_result>> snapshot;
    std::optional<caf::typed_response_promise<backup_opened>> opening;
    std::vector<std::uint64_t> closed;
  };
  slow_parts(caf::actor_config& config, std::shared_ptr<record> seen)
      : compat::untyped_base(config), seen_(std::move(seen)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const command_batch& m) {
          outcome_batch answer;
          answer.outcomes.push_back({m.commands.front().number, errc::none, 1, {}});
          send(caf::actor_cast<caf::actor>(current_sender()), answer);
        },
        [this](const take_snapshot&) {
          seen_->snapshot = make_response_promise<snapshot_result>();
          return *seen_->snapshot;
        },
        [this](const open_backup&) {
          seen_->opening = make_response_promise<backup_opened>();
          return *seen_->opening;
        },
        [this](const close_backup& m) { seen_->closed.push_back(m.download); },
        [this](const flush&) {
          if (seen_->opening)
            seen_->opening->deliver(backup_opened{5});
          else
            seen_->snapshot->deliver(snapshot_result{});
        },
    };
  }
  void on_end() override { *seen_ = {}; }

 private:
  std::shared_ptr<record> seen_;
};

struct backup_world : virtual_system {
  std::shared_ptr<slow_parts::record> seen = std::make_shared<slow_parts::record>();
  caf::actor parts = system.spawn<slow_parts>(seen);
  std::optional<std::uint64_t> download;
  errc failed = errc::none;

  backup_world() {
    const backup_setup setup{{7},
                             caf::actor_cast<proxy_handle>(parts),
                             caf::actor_cast<dispatcher_handle>(parts),
                             caf::actor_cast<snapshot_store_handle>(parts)};
    system.spawn<errand>([this, job = system.spawn<backup_job>(setup)](caf::event_based_actor* self) {
      self->request(job, caf::infinite, make_backup{1000ms, 2000ms})
          .then([this](const backup_made& made) { download = made.download; },
                [this](const caf::error& e) { failed = describe(e).code; });
    });
    settle();
    REQUIRE(seen->snapshot);
  }
  ~backup_world() {
    caf::anon_send_exit(parts, caf::exit_reason::user_shutdown);
    advance(3s); // the pending request timeouts keep the job alive
  }
  backup_world(const backup_world&) = delete;
  backup_world& operator=(const backup_world&) = delete;

  void take() { answer(); }
  void open() {
    REQUIRE(seen->opening);
    answer();
  }

 private:
  void answer() {
    compat::anon_send(parts, flush{});
    settle();
  }
};

} // namespace

TEST_CASE("a backup that is opened in time goes to its origin") {
  backup_world w;
  w.advance(2900ms);
  w.take();
  w.advance(50ms);
  w.open();
  CHECK(w.download == 5);
  CHECK(w.seen->closed.empty());
}

TEST_CASE("a backup that is not written in time is not opened") {
  backup_world w;
  w.advance(3000ms);
  CHECK(w.failed == errc::deadline);
  w.take();
  CHECK_FALSE(w.seen->opening);
}

TEST_CASE("a backup that is opened too late is closed at once") {
  backup_world w;
  w.take();
  w.advance(3000ms);
  w.open();
  CHECK(w.failed == errc::deadline);
  CHECK_FALSE(w.download);
  CHECK(w.seen->closed == std::vector<std::uint64_t>{5});
}

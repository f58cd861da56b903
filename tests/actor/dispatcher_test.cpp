// The dispatcher between a log and a staging store whose answers the test delays.
#include "actors/replica/dispatcher.hpp"
#include "services/command.hpp"
#include "services/restore_command.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

using namespace troupe;

namespace {

/// Answers its oldest question when it gets `flush`.
template <class Question, class Answer> class slow_part : public compat::untyped_base {
 public:
  struct record {
    Answer answer;
    std::vector<std::pair<Question, caf::typed_response_promise<Answer>>> asked;
  };
  slow_part(caf::actor_config& config, std::shared_ptr<record> seen)
      : compat::untyped_base(config), record_(std::move(seen)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const Question& m) {
          auto promise = make_response_promise<Answer>();
          record_->asked.emplace_back(m, promise);
          return promise;
        },
        [this](const flush&) { record_->asked.front().second.deliver(record_->answer); },
    };
  }
  void on_end() override { record_->asked.clear(); }

 private:
  std::shared_ptr<record> record_;
};
using slow_log = slow_part<read_log, log_chunk>;
using slow_staging = slow_part<load_backup, backup_loaded>;

/// Takes the messages to the proxy, the snapshot store and the role.
class sink : public compat::untyped_base {
 public:
  struct record {
    std::vector<applied_item> applied;
    std::vector<raft::state_missing> missing;
  };
  sink(caf::actor_config& config, std::shared_ptr<record> seen)
      : compat::untyped_base(config), record_(std::move(seen)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const applied_batch& m) {
          record_->applied.insert(record_->applied.end(), m.items.begin(), m.items.end());
        },
        [this](const raft::state_missing& m) { record_->missing.push_back(m); },
        [](const attach_dispatcher&) {},
    };
  }

 private:
  std::shared_ptr<record> record_;
};

raft::entry command_at(index_t index, std::string data) {
  return {index, 1, raft::entry_kind::command, raft::bytes{std::move(data)}};
}

} // namespace

TEST_CASE("entries that arrive from the log while a backup is being restored are not handed out twice") {
  test::virtual_system w;
  const auto log = std::make_shared<slow_log::record>();
  const auto staging = std::make_shared<slow_staging::record>();
  const auto others = std::make_shared<sink::record>();
  const auto log_actor = w.system.spawn<slow_log>(log);
  const auto staging_actor = w.system.spawn<slow_staging>(staging);
  const auto other = w.system.spawn<sink>(others);

  dispatcher_setup setup;
  setup.proxy = caf::actor_cast<proxy_handle>(other);
  setup.log = caf::actor_cast<log_store_handle>(log_actor);
  setup.snapshots = caf::actor_cast<snapshot_store_handle>(other);
  setup.staging = caf::actor_cast<staging_handle>(staging_actor);
  setup.at = raft::snapshot_point{};
  setup.at->last = {1, 1};
  const auto subject = w.system.spawn<dispatcher>(setup);
  compat::anon_send(subject, role_changed{1, raft::role_kind::leader, 1, caf::actor_cast<role_handle>(other), 0, {}});

  const auto unserved = command_at(2, services::encode_command("missing", "tag", ""));
  const auto restores = command_at(3, services::encode_restore({{1, 1}, 10, 99}));
  const auto after = command_at(4, services::encode_command("missing", "tag", ""));
  // The first entry is applied at once, because it has no service. The dispatcher then reads the rest from the log, and
  // after that meets the second entry of the batch.
  compat::anon_send(subject, commit_entries{4, {unserved, restores}});
  w.settle();
  REQUIRE(staging->asked.size() == 1);
  CHECK(staging->asked.front().first.at == 3);
  REQUIRE(log->asked.size() == 1);
  CHECK(log->asked.front().first.first == 3);

  log->answer.entries = {restores, after};
  compat::anon_send(log_actor, flush{});
  w.settle();
  CHECK(staging->asked.size() == 1);
  CHECK(others->applied.size() == 1);
  CHECK(log->asked.size() == 1); // nothing is read until the state is there

  staging->answer = {3, nullptr}; // this node does not have the backup
  compat::anon_send(staging_actor, flush{});
  w.settle();
  REQUIRE(others->missing.size() == 1);
  CHECK(others->missing.front().index == 3);
  CHECK(staging->asked.size() == 1);
  for (const auto& actor : {log_actor, staging_actor, other, caf::actor_cast<caf::actor>(subject)})
    compat::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  w.settle();
}

// A role's actor alone, with a real log store.
#include "actors/replica/log_store.hpp"
#include "actors/replica/role_shell.hpp"
#include "runtime/storage/memory_storage.hpp"
#include "tests/actor/captured_log.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <troupe/log.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr node_id self{2};
constexpr cluster_id ours{77};

raft::configuration of(std::initializer_list<std::uint64_t> voters) {
  raft::configuration c;
  for (const auto id : voters) c.voters.push_back({node_id{id}, "n" + std::to_string(id) + ":1"});
  return c;
}

raft::entry configuration_at(index_t index, term_t term, const raft::configuration& c) {
  return {index, term, raft::entry_kind::configuration, raft::bytes{encode(c)}};
}

/// Replaces all other actors of the node. Records the announced configurations and the newest role.
class world_around : public compat::untyped_base {
 public:
  world_around(caf::actor_config& config, std::shared_ptr<std::vector<configuration_known>> told,
               std::shared_ptr<role_changed> role)
      : compat::untyped_base(config), told_(std::move(told)), role_(std::move(role)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const configuration_known& m) { told_->push_back(m); },
        [](const raft::broken_promise&) {},
        [this](const role_changed& m) {
          if (m.epoch > role_->epoch) *role_ = m;
        },
        [](const leader_known&) {},
        [](const outbound&) {},
        [](const disk_condition&) {},
    };
  }
  void on_end() override { *role_ = {}; }

 private:
  std::shared_ptr<std::vector<configuration_known>> told_;
  std::shared_ptr<role_changed> role_;
};

/// A log store that hangs.
class silent_log : public log_store_handle::base {
 public:
  explicit silent_log(caf::actor_config& config) : log_store_handle::base(config) {}
  behavior_type make_behavior() override {
    return {
        [](const store_write&) {},
        [](const read_log&) { return log_chunk{}; },
        [this](const sync_log&) { return make_response_promise<log_synced>(); },
        [](const compact_log&) {},
        [](const attach_role&) {},
        [](const role_changed&) {},
        [](const flush&) {},
        [](const timer&) {},
    };
  }
};

/// A follower whose log is on disk.
struct follower_world : virtual_system {
  std::shared_ptr<std::vector<configuration_known>> told = std::make_shared<std::vector<configuration_known>>();
  std::shared_ptr<role_changed> newest = std::make_shared<role_changed>();
  caf::actor around;
  log_store_handle log_actor;
  role_handle subject;

  explicit follower_world(std::vector<raft::entry> entries, bool hangs = false) {
    set_log_level(log_level::off);
    auto storage = std::make_unique<memory_storage>();
    raft::write first{1, raft::hard_state{entries.back().term, {}}, {}, {}, std::move(entries)};
    storage->apply(first);
    storage->sync();
    const auto disk = storage->contents();
    around = system.spawn<world_around>(told, newest);
    role_context context;
    context.epoch = 1;
    context.links = caf::actor_cast<links_handle>(around);
    context.endpoint = caf::actor_cast<endpoint_handle>(around);
    context.proxy = caf::actor_cast<proxy_handle>(around);
    context.dispatcher = caf::actor_cast<dispatcher_handle>(around);
    context.snapshots = caf::actor_cast<snapshot_store_handle>(around);
    context.observer = caf::actor_cast<observer_handle>(around);
    context.log = log_actor = hangs ? log_store_handle{system.spawn<silent_log>()}
                                    : system.spawn<log_store>(std::move(storage), disk, context.links);
    subject = system.spawn<follower_shell>(
        context, raft::follower{raft::node_state{self, ours, raft::options{}, 1, disk}}, predecessor{});
    settle();
  }
  ~follower_world() {
    for (const auto& part : {caf::actor_cast<caf::actor>(subject), caf::actor_cast<caf::actor>(newest->role),
                             caf::actor_cast<caf::actor>(log_actor), around})
      caf::anon_send_exit(part, caf::exit_reason::user_shutdown);
    newest->role = nullptr;
    newest->previous = nullptr;
    advance(2s); // the actors' pending timers keep them alive
  }
  follower_world(const follower_world&) = delete;
  follower_world& operator=(const follower_world&) = delete;

  void append(term_t term, index_t prev_index, term_t prev_term, std::vector<raft::entry> entries) {
    raft::append_request request{{ours, node_id{1}, self, term}, prev_index, prev_term, 0, 0, std::move(entries)};
    compat::anon_send(subject, std::move(request));
    settle();
  }
};

} // namespace

TEST_CASE("a role announces a configuration that replaces another one at the same index") {
  // Two leaders changed the members in their terms. The first change reached this node only.
  follower_world w{{configuration_at(1, 1, of({1, 2, 3})),
                    {2, 2, raft::entry_kind::noop, {}},
                    configuration_at(3, 2, of({1, 2, 4}))}};
  REQUIRE(w.told->size() == 1);
  CHECK(w.told->back().index == 3);
  CHECK(w.told->back().members == of({1, 2, 4}));
  w.append(3, 1, 1, {{2, 3, raft::entry_kind::noop, {}}, configuration_at(3, 3, of({1, 2, 5}))});
  REQUIRE(w.told->size() == 2);
  CHECK(w.told->back().index == 3);
  CHECK(w.told->back().members == of({1, 2, 5}));
  // Nothing new.
  w.append(3, 3, 3, {{4, 3, raft::entry_kind::noop, {}}});
  CHECK(w.told->size() == 2);
}

TEST_CASE("a retired role does not forward disk_space, since its successor has newer information") {
  follower_world w{{configuration_at(1, 1, of({1, 2, 3}))}};
  w.advance(2s);
  REQUIRE(w.newest->kind == raft::role_kind::candidate);
  // The old role stays until all senders have switched, and gets messages that were sent before.
  compat::anon_send(w.subject, raft::disk_space{false});
  w.settle();
  auto full = std::make_shared<std::optional<bool>>();
  w.system.spawn<errand>([full, to = w.newest->role](caf::event_based_actor* self) {
    self->request(to, caf::infinite, get_role_report{}).then([full](const role_report& s) { *full = s.disk_full; });
  });
  w.settle();
  REQUIRE(*full);
  CHECK_FALSE(**full);
}

TEST_CASE("a connection's flow mark after a write is released when the write is on disk, or the disk stalls") {
  const auto marked = [](follower_world& w, const role_handle& to) {
    auto token = std::make_shared<const int>(1);
    std::weak_ptr<const void> seen = token;
    compat::anon_send(to, flow_mark{std::move(token)});
    w.settle();
    return seen;
  };
  const std::vector<raft::entry> formed{configuration_at(1, 1, of({1, 2, 3}))};
  follower_world hung{formed, true};
  CHECK(marked(hung, hung.subject).expired()); // no write is outstanding
  hung.append(1, 1, 1, {{2, 1, raft::entry_kind::noop, {}}});
  const auto first = marked(hung, hung.subject);
  hung.append(1, 2, 1, {{3, 1, raft::entry_kind::noop, {}}});
  const auto second = marked(hung, hung.subject);
  CHECK_FALSE(first.expired());
  compat::anon_send(hung.subject, log_synced{{1, 2, 1}});
  hung.settle();
  CHECK(first.expired());
  CHECK_FALSE(second.expired());
  // The role changes while the disk does not answer.
  hung.advance(1200ms);
  CHECK(hung.newest->kind == raft::role_kind::candidate);
  CHECK_FALSE(second.expired());
  hung.advance(1s);
  CHECK(second.expired());
  CHECK(marked(hung, hung.newest->role).expired());

  follower_world sound{formed};
  sound.append(1, 1, 1, {{2, 1, raft::entry_kind::noop, {}}});
  CHECK(marked(sound, sound.subject).expired());
}

TEST_CASE("the live trace shows a role's steps, and the roles that start and end") {
  using Catch::Contains;
  testing::captured_log log;
  {
    follower_world w{{configuration_at(1, 1, of({1, 2, 3}))}};
    trace::turn_on("actors,raft");
    log.take();
    w.append(1, 1, 1, {{2, 1, raft::entry_kind::command, raft::bytes{"secret"}}});
    const auto steps = log.take();
    CHECK_THAT(steps, Contains("trace: raft: node 0000000000000002 follower term 1 last 2 "));
    CHECK_THAT(steps, Contains(": receives 0000000000000001->0000000000000002 term 1 append prev 1/1 [2/1 command of 6 "
                               "bytes] commit 0 round 0 => write "));
    CHECK_THAT(steps, Contains("append ok match 2 "));
    CHECK_THAT(steps, !Contains("secret"));
    w.advance(2s);
    REQUIRE(w.newest->kind == raft::role_kind::candidate);
    const auto change = log.take();
    CHECK_THAT(change, Contains(": tick => becomes candidate"));
    CHECK_THAT(change, Contains("trace: actors: candidate "));
    CHECK_THAT(change, Contains("pre-vote? last 2/1"));
  }
  CHECK_THAT(log.take("actors: candidate "), Contains(" ends: "));
  trace::turn_on("");
}

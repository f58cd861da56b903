// The member keeper alone: which nodes it admits and removes, and when.
#include "actors/cluster/member_keeper.hpp"
#include "tests/actor/virtual_system.hpp"

#include <catch2/catch.hpp>

#include <troupe/log.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr node_id self{1};
constexpr cluster_id ours{77};

/// Replaces links, health monitor and role, and records the requests to the role.
class world_around : public compat::untyped_base {
 public:
  world_around(caf::actor_config& config, std::shared_ptr<std::vector<raft::change_members>> asked)
      : compat::untyped_base(config), asked_(std::move(asked)) {}
  caf::behavior make_behavior() override {
    return {
        [](const watch_peers&) {},
        [this](const health_report& m) { health_ = m; },
        [this](const get_health&) { return health_; },
        [this](const raft::change_members& m) { asked_->push_back(m); },
    };
  }

 private:
  std::shared_ptr<std::vector<raft::change_members>> asked_;
  health_report health_;
};

struct keeper_world : virtual_system {
  std::shared_ptr<std::vector<raft::change_members>> asked = std::make_shared<std::vector<raft::change_members>>();
  caf::actor around;
  member_keeper_handle subject;
  epoch_t epoch = 0;

  explicit keeper_world(const raft::member_policy_options& opts = {}) {
    set_log_level(log_level::off);
    around = system.spawn<world_around>(asked);
    subject = system.spawn<member_keeper>(self, opts, caf::actor_cast<links_handle>(around),
                                          caf::actor_cast<health_monitor_handle>(around));
    tell(configuration_known{4, {{{self, "n1:1"}, {{2}, "n2:1"}}, {}, {}, {}}});
  }
  ~keeper_world() {
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(around, caf::exit_reason::user_shutdown);
    settle();
    advance(2s); // the actor's pending timer keeps it alive
  }
  keeper_world(const keeper_world&) = delete;
  keeper_world& operator=(const keeper_world&) = delete;

  template <class Message> void tell(Message m) {
    compat::anon_send(subject, std::move(m));
    settle();
  }
  void become(raft::role_kind kind) {
    tell(role_changed{++epoch, kind, epoch, caf::actor_cast<role_handle>(around), 0, {}});
  }
  /// Links a node.
  void meet(hello who) {
    peers_view view;
    view.self.node = self;
    view.self.cluster = ours;
    view.peers.push_back({std::move(who), {}});
    tell(std::move(view));
  }
};

hello node_that(bool wants_to_join, membership_state state = membership_state::fresh, cluster_id cluster = {}) {
  hello who;
  who.node = {3};
  who.address = "n3:1";
  who.wants_to_join = wants_to_join;
  who.state = state;
  who.cluster = cluster;
  return who;
}

} // namespace

TEST_CASE("a leader admits nodes that ask; a follower, or a leader without its replica, does nothing") {
  keeper_world w;
  w.meet(node_that(true));
  w.become(raft::role_kind::follower);
  w.advance(3s);
  CHECK(w.asked->empty());
  w.become(raft::role_kind::leader);
  w.advance(1500ms);
  REQUIRE(w.asked->size() == 1);
  CHECK(w.asked->front().based_on == 4);
  REQUIRE(w.asked->front().add.size() == 1);
  CHECK(w.asked->front().add.front().who == raft::member{{3}, "n3:1"});
  w.advance(1s);
  CHECK(w.asked->size() == 2); // again, as long as the members do not change
  w.tell(replica_down{});
  w.advance(3s);
  CHECK(w.asked->size() == 2);
  w.become(raft::role_kind::leader);
  w.advance(1500ms);
  CHECK(w.asked->size() == 3);
}

TEST_CASE("does not admit a node that does not ask, belongs to another cluster or is already a member") {
  const auto [wants_to_join, state, cluster, let_in] =
      GENERATE(table<bool, membership_state, cluster_id, bool>({{true, membership_state::fresh, {}, true},
                                                                {true, membership_state::promised, ours, true},
                                                                {true, membership_state::formed, ours, true},
                                                                {true, membership_state::formed, {78}, false},
                                                                {true, membership_state::promised, {78}, false},
                                                                {false, membership_state::fresh, {}, false}}));
  keeper_world w;
  w.meet(node_that(wants_to_join, state, cluster));
  w.become(raft::role_kind::leader);
  w.advance(1500ms);
  CHECK_FALSE(w.asked->empty() == let_in);
  w.asked->clear();
  w.tell(configuration_known{5, {{{self, "n1:1"}, {{2}, "n2:1"}, {{3}, "n3:1"}}, {}, {}, {}}});
  w.advance(2s);
  CHECK(w.asked->empty());
}

TEST_CASE("the grace period of a dead member starts when this node starts to lead") {
  raft::member_policy_options opts;
  opts.remove = true;
  opts.grace = 10s;
  keeper_world w{opts};
  w.tell(configuration_known{5, {{{self, "n1:1"}, {{2}, "n2:1"}, {{3}, "n3:1"}, {{4}, "n4:1"}}, {}, {}, {}}});
  health_report seen;
  for (const auto id : {2u, 3u, 4u}) {
    raft::peer_health one;
    one.id = {id};
    one.state = id == 4 ? raft::peer_state::dead : raft::peer_state::alive;
    seen.peers.push_back(one);
  }
  compat::anon_send(w.around, seen);
  w.advance(30s);
  w.become(raft::role_kind::leader);
  w.advance(8s);
  // Losing and regaining leadership starts the period again.
  w.become(raft::role_kind::follower);
  w.become(raft::role_kind::leader);
  w.advance(8s);
  CHECK(w.asked->empty());
  w.advance(4s);
  REQUIRE_FALSE(w.asked->empty());
  CHECK(w.asked->front().remove == std::vector<node_id>{{4}});
}

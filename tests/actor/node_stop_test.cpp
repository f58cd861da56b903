// The end of a node while it reads its log, while other actors hang, or because its replica cannot start.
#include "actors/frontend/proxy.hpp"
#include "runtime/node_actor.hpp"
#include "runtime/node_disk.hpp"
#include "runtime/storage/posix_file_system.hpp"
#include "runtime/storage/reading_stopped.hpp"
#include "tests/actor/silent_actor.hpp"
#include "tests/actor/virtual_system.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <troupe/config.hpp>
#include <troupe/services/map.hpp>

using namespace troupe;
using namespace std::chrono_literals;

// A user's handle does not accept the messages of the supervisor's own actors.
template <class Handle, class Other>
constexpr bool includes = caf::detail::tl_subset_of<typename Other::signatures, typename Handle::signatures>::value;
static_assert(includes<node_actor_handle, node_handle>);
static_assert(includes<node_actor_handle, compat::handle<void(node_actors)>>);
static_assert(!includes<node_handle, compat::handle<void(node_actors)>>);
static_assert(!includes<node_handle, compat::handle<void(membership_decision)>>);
static_assert(!includes<node_handle, compat::handle<void(removed_from_cluster)>>);

namespace {

/// Answers no request.
class stubborn : public compat::untyped_base {
 public:
  using compat::untyped_base::untyped_base;
  caf::behavior make_behavior() override {
    set_default_handler(caf::skip);
    return {[](const flush&) {}};
  }
};

/// A log that takes longer to read than the test waits.
struct endless_log {
  std::binary_semaphore begun{0};
  bool stopped = false;

  opened_log read(const std::stop_token& stop) {
    begun.release();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait_for(lock, stop, 20s, [] { return false; });
    stopped = stop.stop_requested();
    check(stop);
    throw raft::storage_error("the reading was not stopped");
  }
};

const raft::configuration alone{{{{1}, "n1:1"}}, {}, {}, {}};

/// A node that opens its log as the only member of cluster 7. Nothing answers it but its proxy and `formation`.
node_actor_handle started_node(caf::actor_system& system, node_setup setup, const caf::actor& formation) {
  setup.id = {1};
  setup.address = "n1:1";
  const node_actor_handle node = system.spawn<node_actor>(std::move(setup));
  const auto rest = system.spawn<test::silent_actor>();
  compat::anon_send(node,
                    node_actors{caf::actor_cast<endpoint_handle>(rest), caf::actor_cast<links_handle>(rest),
                                system.spawn<proxy>(proxy_options{}), caf::actor_cast<formation_handle>(formation),
                                caf::actor_cast<health_monitor_handle>(rest)});
  compat::anon_send(node, membership_decision{{7}, alone, false, 0});
  return node;
}

/// sec::request_timeout if the node does not end.
caf::error exit_reason_of(caf::actor_system& system, const node_actor_handle& node) {
  caf::scoped_actor self{system};
  self->monitor(node);
  caf::error reason = caf::sec::request_timeout;
  self->receive([&](const caf::down_msg& down) { reason = down.reason; }, caf::after(30s) >> [] {});
  return reason;
}

/// Stops a node while it reads its log. Returns its exit reason.
caf::error stopped_while_reading(caf::actor_system& system, endless_log& log, const caf::actor& formation,
                                 std::chrono::milliseconds close_timeout) {
  node_setup setup;
  setup.close_timeout = close_timeout;
  setup.open_log = [&](const membership_decision&, const std::vector<machine_factory>&, const std::stop_token& stop) {
    return log.read(stop);
  };
  const auto node = started_node(system, std::move(setup), formation);
  REQUIRE(log.begun.try_acquire_for(20s));
  compat::anon_send(node, stop_node{});
  return exit_reason_of(system, node);
}

/// A service that cannot tell its size.
class unmeasurable : public map_service {
 public:
  std::uint64_t state_bytes() const { throw std::runtime_error("the size is not known"); }
};

/// A formation actor whose disk call takes this time, or (0) never returns.
class slow_formation : public compat::untyped_base {
 public:
  slow_formation(caf::actor_config& config, std::chrono::milliseconds time, std::atomic<bool>& ended)
      : compat::untyped_base(config), ended_(ended) {
    set_exit_handler([this, time](const caf::exit_msg&) {
      if (time.count() > 0) delayed_send(this, time, flush{});
    });
  }
  caf::behavior make_behavior() override {
    return {[this](const flush&) {
      ended_ = true;
      quit(caf::exit_reason::user_shutdown);
    }};
  }

 private:
  std::atomic<bool>& ended_;
};

} // namespace

TEST_CASE("a stop ends the reading of the log at once, and the node does not report a failed disk") {
  endless_log log;
  troupe::config config;
  caf::actor_system system{config};
  const auto reason = stopped_while_reading(system, log, system.spawn<test::silent_actor>(), 60s);
  INFO(to_text(system, reason));
  CHECK(log.stopped);
  CHECK_FALSE(reason);
}

TEST_CASE("a stopping node waits for its replica and for formation at the same time") {
  std::atomic<bool> formation_ended = false;
  endless_log log;
  troupe::config config;
  caf::actor_system system{config};
  SECTION("formation ends in time") {
    const auto formation = system.spawn<slow_formation>(300ms, formation_ended);
    const auto reason = stopped_while_reading(system, log, formation, 60s);
    INFO(to_text(system, reason));
    CHECK(formation_ended);
    CHECK_FALSE(reason);
  }
  SECTION("formation does not end") {
    const auto formation = system.spawn<slow_formation>(0ms, formation_ended);
    const auto reason = stopped_while_reading(system, log, formation, 200ms);
    CHECK(compat::error_code(reason) == static_cast<std::uint8_t>(errc::disk_failed));
    caf::anon_send_exit(formation, caf::exit_reason::kill);
  }
}

TEST_CASE("fronts and proxy share the drain timeout of a node") {
  test::virtual_system world;
  auto& system = world.system;
  node_setup setup;
  setup.id = {1};
  setup.drain_timeout = 300ms;
  const node_actor_handle node = system.spawn<node_actor>(std::move(setup));
  const auto rest = system.spawn<test::silent_actor>();
  const auto proxy = system.spawn<stubborn>(), front = system.spawn<stubborn>();
  compat::anon_send(node, node_actors{caf::actor_cast<endpoint_handle>(rest), caf::actor_cast<links_handle>(rest),
                                      caf::actor_cast<proxy_handle>(proxy), caf::actor_cast<formation_handle>(rest),
                                      caf::actor_cast<health_monitor_handle>(rest)});
  compat::anon_send(node, part_started{caf::actor_cast<caf::actor>(front), true});
  world.settle();
  bool ended = false;
  caf::actor_cast<caf::abstract_actor*>(node)->attach_functor([&] { ended = true; });
  compat::anon_send(node, stop_node{});
  world.advance(299ms);
  CHECK_FALSE(ended);
  world.advance(150ms); // the proxy gets some time even if the fronts used up all of it
  CHECK(ended);
  caf::anon_send_exit(front, caf::exit_reason::kill);
  world.settle();
}

TEST_CASE("an exception of a service while its replica starts ends the node, and frees its data directory") {
  test::temporary_folder folder;
  auto disk = std::make_shared<node_disk>(std::make_shared<posix_file_system>(), folder.path() / "data");
  disk->directory.set_promise(encode(raft::propose_formation{{7}, {1}, alone.voters, 0}));
  disk->directory.set_cluster({7}, 0);
  const std::weak_ptr<node_disk> held = disk;
  {
    troupe::config config;
    caf::actor_system system{config};
    node_setup setup;
    setup.services = {[] { return detail::make_machine(unmeasurable{}); }};
    setup.open_log = open_disk(std::move(disk), wal_options{}, {});
    const auto node = started_node(system, std::move(setup), system.spawn<test::silent_actor>());
    // What CAF makes of the exception.
    CHECK(exit_reason_of(system, node) == caf::sec::runtime_error);
    // The system waits for the actors that have threads of their own.
  }
  CHECK(held.expired());
}

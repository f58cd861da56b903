// Threads that cannot be started.
#include "actors/started_parts.hpp"
#include "actors/threads.hpp"
#include "runtime/node.hpp"
#include "services/map/map_service.hpp"
#include "tests/unit/temporary_folder.hpp"

#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <fstream>

using namespace troupe;

namespace {

constexpr std::size_t megabyte = 1 << 20;

/// What the process may take of its address space, as long as it lives: usually so little that no stack fits in.
class no_room_for_stacks {
 public:
  explicit no_room_for_stacks(std::size_t room = megabyte) {
    REQUIRE(::getrlimit(RLIMIT_AS, &usual_) == 0);
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    auto lower = usual_;
    lower.rlim_cur = pages * 4096 + room;
    REQUIRE(::setrlimit(RLIMIT_AS, &lower) == 0);
  }
  no_room_for_stacks(const no_room_for_stacks&) = delete;
  no_room_for_stacks& operator=(const no_room_for_stacks&) = delete;
  ~no_room_for_stacks() { ::setrlimit(RLIMIT_AS, &usual_); }

 private:
  rlimit usual_{};
};

} // namespace

TEST_CASE("whether threads can be started is known beforehand, and may change") {
  std::string why;
  {
    const no_room_for_stacks limit;
    why = why_no_threads(20);
  }
  CHECK_THAT(why, Catch::StartsWith("no thread can be started: "));
  CHECK(why_no_threads(20).empty());
}

TEST_CASE("an actor whose thread cannot be started is not spawned, and its system ends") {
  struct idle : caf::event_based_actor {
    using event_based_actor::event_based_actor;
    caf::behavior make_behavior() override { return {}; }
  };
  caf::actor_system_config config;
  caf::actor_system system{config};
  const no_room_for_stacks limit;
  CHECK_THROWS_AS(spawn_with_thread<idle>(system), no_thread);
}

TEST_CASE("what was started ends, unless it is kept") {
  struct idle : caf::event_based_actor {
    using event_based_actor::event_based_actor;
    caf::behavior make_behavior() override {
      return {[](int) {}};
    }
  };
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto dropped = system.spawn<idle>(), kept = system.spawn<idle>();
  self->monitor(dropped);
  self->monitor(kept);
  {
    started_parts parts{system};
    parts.add(kept);
    parts.keep();
  }
  {
    started_parts parts{system};
    parts.add(dropped);
  }
  caf::actor_addr ended;
  self->receive([&](const caf::down_msg& down) { ended = down.source; }, caf::after(std::chrono::seconds{10}) >> [] {});
  CHECK(ended == dropped.address());
  self->send_exit(kept, caf::exit_reason::user_shutdown);
}

TEST_CASE("a node that lacks a thread at its start says so and leaves nothing behind") {
  const test::temporary_folder folder;
  troupe::config config;
  caf::actor_system system{config};
  node_options options;
  options.data_dir = folder / "n";
  options.raft_port = 5998;
  std::size_t refused = 0;
  // No thread can be started, or the first one can and the second one cannot.
  for (const auto room : {megabyte, 11 * megabyte}) {
    const no_room_for_stacks limit{room};
    try {
      spawn_node(system, options, map_service{});
    } catch (const startup_error& e) {
      CHECK_THAT(e.what(), Catch::StartsWith("no thread can be started: "));
      ++refused;
    }
  }
  CHECK(refused == 2);
  // At once, with the same directory and port.
  CHECK_NOTHROW(spawn_node(system, options, map_service{}));
}

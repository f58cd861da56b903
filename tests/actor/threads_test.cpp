// Behaviour when threads cannot be started.
#include "actors/started_parts.hpp"
#include "tests/actor/plain_config.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/transport/loopback.hpp"

#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <troupe/node.hpp>
#include <troupe/services/map.hpp>
#include <troupe/threads.hpp>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// The default stack size of a thread, including the guard page.
std::size_t room_for_a_stack() {
  pthread_attr_t usual;
  REQUIRE(::pthread_attr_init(&usual) == 0);
  std::size_t stack = 0, guard = 0;
  REQUIRE(::pthread_attr_getstacksize(&usual, &stack) == 0);
  REQUIRE(::pthread_attr_getguardsize(&usual, &guard) == 0);
  ::pthread_attr_destroy(&usual);
  return stack + guard;
}

/// Limits the address space of the process during its lifetime. By default the room is too small for a stack.
class no_room_for_stacks {
 public:
  explicit no_room_for_stacks(std::size_t room = room_for_a_stack() / 2) {
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

TEST_CASE("thread_check reports whether threads can be started, which may change") {
  std::string why;
  {
    const no_room_for_stacks limit;
    why = thread_check{20}.objection();
  }
  CHECK_THAT(why, Catch::StartsWith("cannot start a thread: "));
  CHECK(thread_check{20}.objection().empty());
}

TEST_CASE("a thread_check waits while another one exists") {
  std::atomic<bool> asks = false, told = false;
  std::thread other;
  {
    const thread_check mine{1};
    CHECK(mine.objection().empty());
    CHECK(thread_check{0}.objection().empty()); // a check for no threads does not wait
    other = std::thread([&] {
      asks = true;
      const thread_check theirs{1};
      told = true;
    });
    while (!asks) std::this_thread::yield();
    std::this_thread::sleep_for(50ms); // nap: for an answer that must not come
    CHECK_FALSE(told);
  }
  other.join();
  CHECK(told);
}

TEST_CASE("an actor whose thread cannot be started is not spawned, and the system ends") {
  struct idle : compat::untyped_base {
    using compat::untyped_base::untyped_base;
    caf::behavior make_behavior() override { return {}; }
  };
  test::plain_config config;
  caf::actor_system system{config};
  const no_room_for_stacks limit;
  CHECK_THROWS_AS(spawn_with_thread<idle>(system), no_thread);
}

TEST_CASE("started actors end unless they are kept") {
  struct idle : compat::untyped_base {
    using compat::untyped_base::untyped_base;
    caf::behavior make_behavior() override {
      return {[](int) {}};
    }
  };
  test::plain_config config;
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

TEST_CASE("the patience covers all started actors together, not each of them") {
  /// Ends only after a delay.
  struct slow : compat::untyped_base {
    slow(caf::actor_config& config, std::chrono::milliseconds time) : compat::untyped_base(config) {
      set_exit_handler([this, time](const caf::exit_msg&) { delayed_send(this, time, 1); });
    }
    caf::behavior make_behavior() override {
      return {[this](int) { quit(); }};
    }
  };
  test::plain_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  std::vector<caf::actor> spawned;
  {
    started_parts parts{system, 200ms};
    // They end one after the other, the last one after 10 s.
    for (int i = 1; i <= 100; ++i) spawned.push_back(parts.add(system.spawn<slow>(i * 100ms)));
  }
  std::size_t killed = 0;
  for (const auto& each : spawned) {
    self->monitor(each);
    self->send_exit(each, caf::exit_reason::kill);
    self->receive([&](const caf::down_msg& down) {
      if (down.reason == caf::exit_reason::kill) ++killed;
    });
  }
  CHECK(killed > 0);
}

TEST_CASE("a node that cannot start a thread reports that and leaves nothing behind") {
  const test::temporary_folder folder;
  troupe::config config;
  caf::actor_system system{config};
  node_options options;
  options.data_dir = folder / "n";
  options.raft_port = net::testing::free_port();
  std::size_t refused = 0;
  // Either no thread can be started, or only the first one.
  const auto stack = room_for_a_stack();
  for (const auto room : {stack / 2, stack + stack / 2}) {
    const no_room_for_stacks limit{room};
    try {
      spawn_node(system, options, map_service{});
    } catch (const startup_error& e) {
      CHECK_THAT(e.what(), Catch::StartsWith("cannot start a thread: "));
      ++refused;
    }
  }
  CHECK(refused == 2);
  // A new attempt works at once, with the same directory and port.
  CHECK_NOTHROW(spawn_node(system, options, map_service{}));
}

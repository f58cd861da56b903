// An actor system in one thread and in virtual time.
#pragma once

#include "tests/actor/plain_config.hpp"
#include "tests/actor/test_scheduler.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>

namespace troupe::test {

/// Runs a function, then lives until its requests are answered. It is a class because UBSan reports errors in CAF's
/// function-based actors.
class errand : public compat::untyped_base {
 public:
  errand(caf::actor_config& config, std::function<void(caf::event_based_actor*)> act)
      : compat::untyped_base(config), act_(std::move(act)) {}
  caf::behavior make_behavior() override {
    act_(this);
    return {};
  }

 private:
  std::function<void(caf::event_based_actor*)> act_;
};

class virtual_system {
 public:
  virtual_system() : system(config_) {}

  caf::actor_clock::time_point now() { return system.clock().now(); }
  /// Runs all actors until no message is left.
  void settle() { system.coordinator().run(); }
  /// Advances the time, one millisecond at a time, and handles everything that becomes due.
  void advance(std::chrono::milliseconds time) {
    settle();
    for (; time.count() > 0; --time) {
      system.coordinator().advance_time(std::chrono::milliseconds{1});
      settle();
    }
  }
  bool has_jobs() { return system.coordinator().has_job(); }
  /// Number of actors that have messages.
  std::size_t jobs() { return system.coordinator().jobs.size(); }
  bool has_timers() { return system.coordinator().has_pending_timeout(); }

 private:
  plain_config config_;

 public:
  test_system system;
};

} // namespace troupe::test

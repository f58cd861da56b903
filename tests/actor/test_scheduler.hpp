// An actor system whose actors run in the test's thread and in virtual time.
#pragma once

#include "actors/caf.hpp"

#if TROUPE_CAF_1
#include <caf/action.hpp>
#include <caf/actor_clock.hpp>
#include <caf/detail/actor_system_access.hpp>
#include <caf/disposable.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler.hpp>

#include <deque>
#include <map>
#include <memory>
#else
#include <caf/scheduler/test_coordinator.hpp>
#endif

namespace troupe::test {

#if TROUPE_CAF_1

/// A clock that a test advances.
class test_clock final : public caf::actor_clock {
 public:
  using caf::actor_clock::schedule;

  time_point now() const noexcept override { return now_; }
  caf::disposable schedule(time_point due, caf::action what) override {
    timers_.emplace(due, what);
    return std::move(what).as_disposable();
  }

  bool has_timers() const {
    return std::any_of(timers_.begin(), timers_.end(), [](const auto& t) { return !t.second.disposed(); });
  }
  void advance(duration_type time) {
    now_ += time;
    while (!timers_.empty() && timers_.begin()->first <= now_) {
      auto what = timers_.begin()->second;
      timers_.erase(timers_.begin()); // first, because it may set timers
      if (!what.disposed()) what.run();
    }
  }
  void drop_all() { timers_.clear(); }

 private:
  time_point now_{duration_type{1}}; // CAF gives the start of the clock a meaning
  std::multimap<time_point, caf::action> timers_;
};

/// CAF 1.x has such a scheduler as well, but its shared library does not export it.
class test_scheduler final : public caf::scheduler {
 public:
  explicit test_scheduler(test_clock& clock) : clock_(clock) {}

  /// The actors that have messages.
  std::deque<caf::resumable*> jobs;

  bool has_job() const { return !jobs.empty(); }
  /// Lets the first actor handle one message. An actor with more messages stays the first.
  void run_once() {
    auto* const job = jobs.front();
    jobs.pop_front();
    switch (job->resume(this, 1)) {
    case caf::resumable::resume_later:
      jobs.push_front(job);
      break;
    case caf::resumable::shutdown_execution_unit:
      break;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      break;
    }
  }
  void run() {
    while (has_job()) run_once();
  }
  bool has_pending_timeout() const { return clock_.has_timers(); }
  void advance_time(caf::timespan time) { clock_.advance(time); }

  void schedule(caf::resumable* job) override { jobs.push_back(job); }
  void delay(caf::resumable* job) override { jobs.push_back(job); }
  void start() override {}
  /// Drops the timers: an actor that sets one again and again would never let it end.
  void stop() override {
    do {
      run();
      clock_.drop_all();
    } while (has_job());
  }

 private:
  test_clock& clock_;
};

#else
using test_scheduler = caf::scheduler::test_coordinator;
#endif

/// An actor system with this scheduler.
class test_system : public caf::actor_system {
 public:
#if TROUPE_CAF_1
  explicit test_system(caf::actor_system_config& config) : caf::actor_system(config, &install, nullptr) {}
#else
  explicit test_system(caf::actor_system_config& config) : caf::actor_system(with_scheduler(config)) {}
#endif

  test_scheduler& coordinator() { return dynamic_cast<test_scheduler&>(scheduler()); }

 private:
#if TROUPE_CAF_1
  static void install(caf::actor_system& system, caf::actor_system_config&, void*) {
    auto clock = std::make_unique<test_clock>();
    auto scheduler = std::make_unique<test_scheduler>(*clock);
    caf::detail::actor_system_access access{system};
    access.clock(std::move(clock));
    access.scheduler(std::move(scheduler));
  }
#else
  static caf::actor_system_config& with_scheduler(caf::actor_system_config& config) {
    compat::set_word(config, "scheduler.policy", "testing");
    return config;
  }
#endif
};

} // namespace troupe::test

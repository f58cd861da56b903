// CAF's deterministic scheduler, which runs actors in the test's thread and in virtual time.
#pragma once

#include "actors/caf.hpp"

#if TROUPE_CAF_1
#include <caf/detail/test_coordinator.hpp>
#else
#include <caf/scheduler/test_coordinator.hpp>
#endif

namespace troupe::test {

#if TROUPE_CAF_1
using test_scheduler = caf::detail::test_coordinator;
#else
using test_scheduler = caf::scheduler::test_coordinator;
#endif

/// Selects this scheduler for the systems of `config`.
inline caf::actor_system_config& use_test_scheduler(caf::actor_system_config& config) {
  compat::set_word(config, "scheduler.policy", "testing");
  return config;
}

/// The scheduler of a system that use_test_scheduler prepared.
inline test_scheduler& scheduler_of(caf::actor_system& system) {
  return dynamic_cast<test_scheduler&>(system.scheduler());
}

} // namespace troupe::test

#include "runtime/transport/network_registry.hpp"

#include "actors/caf_io.hpp"

namespace troupe {

std::shared_ptr<net::system_network> config::network_registry::of(caf::actor_system& system,
                                                                  const net::transport_options& options) {
  std::shared_ptr<net::system_network> made;
  {
    const std::lock_guard lock(mutex_);
    auto& found = networks_[&system];
    if (found) return found;
    made = found = std::make_shared<net::system_network>(options.limits, options.warn);
  }
  // All connections end with their broker, which lives as long as the system. Call this without the lock: if the broker
  // has already ended, CAF calls back at once.
  try {
    compat::close_with_broker(system, [registry = weak_from_this(), key = &system] {
      if (const auto still = registry.lock()) still->forget(key);
    });
  } catch (...) {
    forget(&system);
    throw;
  }
  return made;
}

void config::network_registry::forget(const caf::actor_system* system) {
  const std::lock_guard lock(mutex_);
  networks_.erase(system);
}

} // namespace troupe

// The system_network of each actor system that was created with a troupe::config. It exists from the system's first
// node or client to the system's end.
#pragma once

#include "actors/caf.hpp"
#include "runtime/transport/transport.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <troupe/config.hpp>

namespace troupe {

/// Thread-safe.
class config::network_registry : public std::enable_shared_from_this<network_registry> {
 public:
  /// The first caller's options set the limits.
  std::shared_ptr<net::system_network> of(caf::actor_system& system, const net::transport_options& options);

 private:
  void forget(const caf::actor_system* system);

  std::mutex mutex_;
  std::map<const caf::actor_system*, std::shared_ptr<net::system_network>> networks_;
};

} // namespace troupe

// The network of each actor system that is made with a config, from its first node or client to the system's end.
#pragma once

#include "actors/caf.hpp"
#include "runtime/config.hpp"
#include "runtime/transport/transport.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace troupe {

/// Thread-safe.
class config::network_registry : public std::enable_shared_from_this<network_registry> {
 public:
  /// The limits are those of the first one that asks.
  std::shared_ptr<net::system_network> of(caf::actor_system& system, const net::transport_options& options);

 private:
  void forget(const caf::actor_system* system);

  std::mutex mutex_;
  std::map<const caf::actor_system*, std::shared_ptr<net::system_network>> networks_;
};

} // namespace troupe

// What all nodes and clients of one actor system share. CAF keeps one connection for each pair of systems, whichever of
// their nodes and clients dialed it, so everything that concerns open connections belongs to the system: who speaks for
// which node, what is silent for too long, how much memory is in use, and which actors may be written to.
//
// What is not shared: nodes and clients with different certificates or secrets. Each such set of files is a realm, and
// without TLS those who stay on this machine are another one. A
// connection belongs to the realm that opened it and reaches the actors of that realm only. A system that is connected
// already in another realm cannot be dialed: its connection would carry what the other files were to protect.
#pragma once

#include "runtime/transport/credentials_keeper.hpp"
#include "runtime/transport/dial_policy.hpp"
#include "runtime/transport/flow_meter.hpp"
#include "runtime/transport/frame_guard.hpp"
#include "runtime/transport/incidents.hpp"
#include "runtime/transport/node_id_registry.hpp"
#include "runtime/transport/watchdog.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe::net {

/// Logs at most one line a second, and how many it left out. Thread-safe.
class rate_limited_log {
 public:
  explicit rate_limited_log(std::function<void(const std::string&)> say) : say_(std::move(say)) {}
  void note(const std::string& what);

 private:
  std::function<void(const std::string&)> say_;
  std::mutex mutex_;
  bool said_ = false;
  steady_time said_at_{};
  std::size_t unsaid_ = 0;
};

/// Of all connections of an actor system together.
struct network_limits {
  /// Of unfinished frames: a connection that wants more is cut.
  std::size_t max_collected_bytes = 256 << 20;
  /// Processes that introduce themselves for the first time: so many at once, and then one in each interval. CAF keeps
  /// something of each for good.
  std::size_t max_new_nodes = 4096;
  std::chrono::milliseconds new_node_interval{1000};
  /// Of what was handed to actors and is not handled by them: for all connections together, and for one. A connection
  /// beyond its share is not read any further until there is room again.
  std::size_t max_unhandled_bytes = 256 << 20;
  std::size_t max_unhandled_bytes_per_connection = 8 << 20;
};

/// Those who open connections with the same files, to the same places. Ends with the last transport that uses it. The
/// next one of the same files has the same receivers as long as a connection is left, and so goes on with that.
struct realm {
  std::shared_ptr<receiver_list> receivers = std::make_shared<receiver_list>();
};

/// Thread-safe. Outlives its transports with the last of their connections.
class system_network {
 public:
  /// Limits hold for the whole system. `warn` is called by any thread.
  system_network(const network_limits& limits, const std::function<void(const std::string&)>& warn);

  /// The realm of these files, compared by their paths (links are not followed); the names that certificates must carry
  /// count as well. Without TLS so does where a transport dials: over a connection that leads elsewhere, a stranger
  /// could write to a node that is to stay on its machine.
  std::shared_ptr<const realm> realm_of(const credentials_files& files, dial_policy dials = dial_policy::anywhere);

  /// For unfinished frames. False, and nothing is taken, if that is more than all connections may have.
  bool take(std::ptrdiff_t bytes);

  incident_counter incidents;
  node_id_registry node_ids;
  watchdog dog;
  /// One for each kind, so that many of one do not silence the others.
  rate_limited_log violations;
  rate_limited_log drops;
  rate_limited_log cuts;
  const std::shared_ptr<flow_room> flow = std::make_shared<flow_room>();

 private:
  const std::ptrdiff_t most_;
  std::atomic<std::ptrdiff_t> collected_ = 0;
  std::mutex mutex_;
  struct known_realm {
    credentials_files files;
    dial_policy dials = dial_policy::anywhere;
    std::weak_ptr<const realm> in_use;
    /// Connections keep them.
    std::weak_ptr<receiver_list> receivers;
  };
  std::vector<known_realm> realms_;
};

} // namespace troupe::net

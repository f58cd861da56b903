// What all nodes and clients of one actor system share. CAF keeps one connection for each pair of systems, whichever of
// their nodes and clients dialed it. So everything that concerns open connections belongs to the system: which
// connection speaks for which node, which one is silent for too long, how much memory is in use, and which actors
// accept messages.
//
// Nodes and clients with different certificates or secrets do not share connections. Each such set of files is a realm;
// without TLS, the nodes and clients that stay on this machine are another realm. A connection belongs to the realm
// that opened it, and reaches only the actors of that realm. A system that is already connected in one realm cannot be
// dialed in another: its connection would carry messages that the other realm's files were meant to protect.
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

/// Logs at most one line per second, and the number of lines that it left out. Thread-safe.
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

/// Limits of all connections of an actor system together.
struct network_limits {
  /// Bytes of unfinished frames. A connection that needs more is cut.
  std::size_t max_collected_bytes = 256 << 20;
  /// Processes that introduce themselves for the first time: this many at once, and then one per interval. CAF
  /// permanently keeps some data of each.
  std::size_t max_new_nodes = 4096;
  std::chrono::milliseconds new_node_interval{1000};
  /// Bytes that the actors were given and have not handled yet: for all connections together, and for one. A connection
  /// beyond its share is not read until there is room again.
  std::size_t max_unhandled_bytes = 256 << 20;
  std::size_t max_unhandled_bytes_per_connection = 8 << 20;
};

/// The nodes and clients that open connections with the same files and the same dial policy. A realm ends with the last
/// transport that uses it. While one of its connections is still open, a new realm of the same files gets the same
/// receivers, and so continues to use that connection.
struct realm {
  std::shared_ptr<receiver_list> receivers = std::make_shared<receiver_list>();
};

/// Thread-safe. It outlives its transports until the last of their connections ends.
class system_network {
 public:
  /// The limits apply to the whole system. Any thread may call `warn`.
  system_network(const network_limits& limits, const std::function<void(const std::string&)>& warn);

  /// The realm of these files. Files are compared by their paths (links are not followed), and by the names that
  /// certificates must carry. Without TLS the dial policy counts as well: over a connection that leads to another
  /// machine, an attacker could write to a node that must stay on its own machine.
  std::shared_ptr<const realm> realm_of(const credentials_files& files, dial_policy dials = dial_policy::anywhere);

  /// Reserves memory for unfinished frames. Returns false, and reserves nothing, if all connections together would
  /// exceed their limit.
  bool take(std::ptrdiff_t bytes);

  incident_counter incidents;
  node_id_registry node_ids;
  watchdog connection_watchdog;
  /// One log per kind, so that many lines of one kind do not suppress the others.
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
    /// Kept alive by connections.
    std::weak_ptr<receiver_list> receivers;
  };
  std::vector<known_realm> realms_;
};

} // namespace troupe::net

// Records which connection speaks for which node, so that no other connection can replace it while it is open. Also
// limits the rate of new nodes.
//
//   [free] -- a connection's handshake names the node --> [held] -- the connection ends --> [free]
//
// CAF sends messages for a node over the connection on which the node's last handshake arrived, and trusts handshakes.
// CAF's node id is made of the host and the process id, so a restarted process is usually a new node. If it is not
// (process 1 of a container), it has to wait until the end of the old connection is noticed.
#pragma once

#include "runtime/transport/connection_liveness.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace troupe::net {

enum class claim_outcome {
  granted,
  taken,         ///< another connection speaks for the node
  other_realm,   ///< as `taken`, and that connection was opened with other certificates or another secret
  too_many_nodes ///< the node is new, and too many new nodes came recently
};

/// Thread-safe. Nodes are identified by CAF's encoded id.
class node_id_registry {
 public:
  /// CAF permanently keeps about 1 KB for each node that was ever introduced to it. So `max_new_nodes` new nodes are
  /// admitted at once, and then one per interval.
  node_id_registry(std::size_t max_new_nodes, std::chrono::milliseconds new_node_interval);

  /// If another connection of the same realm speaks for the node, the owner of `by` uses that one from now on.
  claim_outcome claim(std::string_view node, const std::shared_ptr<connection_liveness>& by, steady_time now);
  /// Call this when a connection ends.
  void release(const std::shared_ptr<connection_liveness>& by);
  /// Cuts the connection that speaks for the node. Returns false if there is none.
  bool cut(std::string_view node);

 private:
  bool admit(std::string_view node, steady_time now);

  const std::size_t max_new_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<connection_liveness>, std::less<>> holders_;
  /// The nodes that were admitted. Cleared when they become too many; after that each counts as new again.
  std::unordered_set<std::string> known_;
  std::size_t new_left_;
  steady_time counted_at_{};
};

} // namespace troupe::net

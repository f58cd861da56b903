// Which connection speaks for which node, so that no other one can take its place while it lives; and how many new
// nodes there are.
//
//   [free] -- a connection's handshake names the node --> [held] -- the connection ends --> [free]
//
// CAF sends what is meant for a node over whatever connection its last handshake came, and believes handshakes. Its
// node id is made of the host and the process's number, so a process that is started again is usually another node to
// it; one that is not (process 1 of a container) waits until the end of the old connection is noticed.
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
  other_realm,   ///< the same, and it was opened with other certificates or another secret
  too_many_nodes ///< it is a new one, and there have been too many of these lately
};

/// Thread-safe. Nodes are named by CAF's id, encoded.
class node_id_registry {
 public:
  /// CAF keeps about 1 KB of every node it was ever introduced to: new ones may be so many, and then one each interval.
  node_id_registry(std::size_t max_new_nodes, std::chrono::milliseconds new_node_interval);

  /// Where another connection of the same realm speaks for the node, `by`'s owner uses that one from now on.
  claim_outcome claim(std::string_view node, const std::shared_ptr<connection_liveness>& by, steady_time now);
  /// At a connection's end.
  void release(const std::shared_ptr<connection_liveness>& by);
  /// Cuts the connection that speaks for the node. False if there is none.
  bool cut(std::string_view node);

 private:
  bool is_welcome(std::string_view node, steady_time now);

  const std::size_t max_new_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<connection_liveness>, std::less<>> holders_;
  /// Those that were introduced; forgotten when they become too many, after which each is new once more.
  std::unordered_set<std::string> known_;
  std::size_t new_left_;
  steady_time counted_at_{};
};

} // namespace troupe::net

// How to add a discovery method of your own: an actor that reports the addresses that it sees.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <troupe/blocking_method.hpp>
#include <troupe/detail/caf.hpp>
#include <troupe/types.hpp>
#include <utility>
#include <vector>

namespace troupe {

/// All addresses that one method sees at the moment, as host:port. Replaces what it reported before.
struct peers_changed {
  std::string source;
  std::vector<std::string> addresses;
};

/// The node itself, for a method that announces it to others.
struct node_identity {
  node_id node;
  /// Rises with every start of the node.
  std::uint64_t incarnation = 0;
  /// Where other nodes reach it, as host:port.
  std::string address;
  membership_state state = membership_state::fresh;
  /// The cluster that the node belongs or is promised to; no id: none.
  cluster_id cluster;
};
using identity_watcher = compat::handle<void(node_identity)>;
/// Sends the watcher a node_identity now, and whenever it may have changed.
struct watch_identity {
  identity_watcher watcher;
};

/// The actor to which a method reports.
using peers_listener = compat::handle<void(peers_changed), void(watch_identity)>;

/// Asks a method to report again.
struct report_peers {};
using discovery_handle = compat::handle<void(report_peers)>;

/// A discovery method. `spawn` starts an actor that sends `listener` a peers_changed, with `name()` as source and the
/// addresses of all nodes that it sees (this one may be among them): at its start, whenever they change, and on
/// report_peers. The actor must not block; use a thread of its own for blocking calls. An empty list asserts that there
/// are no nodes, so a method that cannot tell sends nothing.
class peer_source {
 public:
  virtual ~peer_source() = default;
  /// A name for logs, different for all methods of a node.
  virtual std::string name() const = 0;
  virtual discovery_handle spawn(caf::actor_system& system, peers_listener listener) = 0;
};

/// Called with what the node is now, and whenever that may have changed, by the actor of a method that announces it.
using identity_listener = std::function<void(const node_identity&)>;

/// Makes a peer_source of a blocking method. The method runs on a thread of its own.
class blocking_source : public peer_source {
 public:
  /// The actor that `spawn` starts takes over the method. A second `spawn` throws std::logic_error: make a new source
  /// for each start of a node.
  blocking_source(std::string name, std::shared_ptr<blocking_method> method, identity_listener self = {})
      : name_(std::move(name)), method_(std::move(method)), self_(std::move(self)) {}
  std::string name() const override { return name_; }
  discovery_handle spawn(caf::actor_system& system, peers_listener listener) override;

 private:
  std::string name_;
  std::shared_ptr<blocking_method> method_;
  identity_listener self_;
};

/// Returns what is wrong with a specification of discovery methods (node_options::discovery); empty if nothing is.
std::string discovery_problem(const std::string& methods);

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::peers_changed);
TROUPE_LIBRARY_MESSAGE(troupe::node_identity);
TROUPE_LIBRARY_MESSAGE(troupe::watch_identity);
TROUPE_LIBRARY_MESSAGE(troupe::report_peers);

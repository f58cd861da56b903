// A member of a replicated cluster, in about ten lines: what most users include.
//
//   troupe::config config;
//   caf::actor_system system{config};
//   auto node = troupe::spawn_node(system, {.data_dir = "n1", .raft_port = 5000}, troupe::map_service{});
//   auto map = node.service<troupe::map_service>();
//   self->request(map, caf::infinite, troupe::map::put{"users", "ada", troupe::services::value::of(1815)}).then(...);
#pragma once

#include "actors/frontend/front.hpp"
#include "runtime/config.hpp"
#include "runtime/node_options.hpp"
#include "runtime/node_requests.hpp"
#include "runtime/startup_error.hpp"
#include "services/machine.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A running node. An actor system may have several, with different ports and directories, and clients beside them (see
/// spawn_client). When a part of a node fails for good, or one of its fronts, the node ends with that error. Movable;
/// used by one thread at a time, while the handles that it gives may be used from any. Must not outlive the actor
/// system. Its end stops the node.
class node {
 public:
  node(node&&) noexcept;
  node& operator=(node&&) noexcept;
  ~node();

  /// The actor that takes S's commands and queries as typed messages; the same one for every call.
  template <class S> service_actor<S> service() {
    auto& front = fronts_[std::string{S::name}];
    if (!front) {
      front = caf::actor_cast<caf::actor>(spawn_front<S>(*system_, proxy_, {request_timeout_}));
      watch_front(front);
    }
    return caf::actor_cast<service_actor<S>>(front);
  }
  /// Takes the requests of node_requests.hpp.
  const node_handle& handle() const noexcept { return handle_; }
  /// Where other nodes and clients reach this one, as host:port.
  const std::string& address() const noexcept { return address_; }

  /// Hands leadership over (with `leave`: stops to be a member of its cluster first), rejects new requests, waits until
  /// those in flight are answered (up to node_options::drain_timeout), closes the log and the port. Blocks: not to be
  /// called from an actor, which sends stop_node to the handle instead. Idempotent.
  /// False if threads of the node are left in a call to a disk that does not answer (after
  /// node_options::close_timeout). They keep the data directory locked, and the end of the actor system would wait for
  /// them: a program that has to end calls _exit.
  bool stop(bool leave = false);

 private:
  struct parts;
  friend node start_node(caf::actor_system& system, node_options options, std::vector<machine_factory> services);
  node(caf::actor_system& system, std::unique_ptr<parts> inside);
  void watch_front(const caf::actor& front);

  caf::actor_system* system_;
  std::unique_ptr<parts> parts_;
  node_handle handle_;
  proxy_handle proxy_;
  std::string address_;
  std::chrono::milliseconds request_timeout_{};
  std::map<std::string, caf::actor> fronts_;
};

/// Locks the data directory, binds the port and starts the node; forming or joining its cluster goes on in the
/// background. Throws `startup_error`. `spawn_node` is the usual way.
node start_node(caf::actor_system& system, node_options options, std::vector<machine_factory> services);

/// Starts a node with these services, whose names differ. Every node of a cluster has the same ones. The node starts
/// every run of its core with fresh copies of them.
template <class... Services> node spawn_node(caf::actor_system& system, node_options options, Services... services) {
  static_assert(services::distinct_names<Services...>(), "two services have the same name");
  return start_node(system, std::move(options), {[services] { return services::make_machine(services); }...});
}

} // namespace troupe

// A member of a replicated cluster, in about ten lines. This is the header that most users include, beside that of a
// service: here <troupe/services/map.hpp>.
//
//   troupe::config config;
//   caf::actor_system system{config};
//   auto node = troupe::spawn_node(system, {.data_dir = "n1", .raft_port = 5000}, troupe::map_service{});
//   auto map = node.service<troupe::map_service>();
//   self->request(map, caf::infinite, troupe::map::put{"users", "ada", troupe::value::of(1815)}).then(...);
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <troupe/config.hpp>
#include <troupe/detail/front.hpp>
#include <troupe/detail/machine.hpp>
#include <troupe/options.hpp>
#include <troupe/requests.hpp>
#include <troupe/service_actor.hpp>
#include <troupe/startup_error.hpp>
#include <utility>
#include <vector>

namespace troupe {

/// A running node. An actor system may have several, with different ports and directories, and clients as well (see
/// spawn_client). When a part of the node fails for good, or one of its fronts, the node ends with that error. Movable;
/// a moved-from node can only be assigned to and destroyed. Not thread-safe, while the handles that it returns may be
/// used from any thread. Must not outlive the actor system. The destructor stops the node.
class node {
 public:
  node(node&&) noexcept;
  node& operator=(node&&) noexcept;
  ~node();

  /// Returns the actor that takes the commands and queries of `S` as typed messages; the same one for every call.
  template <class S> service_actor<S> service() {
    static_assert(detail::check_service<S>());
    return caf::actor_cast<service_actor<S>>(front(S::name, &detail::make_front_handlers<S>));
  }
  /// Takes the requests of requests.hpp.
  const node_handle& handle() const noexcept;
  /// Where other nodes and clients reach this one, as host:port.
  const std::string& address() const noexcept;

  /// Transfers leadership (with `leave`: leaves the cluster first), rejects new requests, waits until those in flight
  /// are answered (up to node_options::drain_timeout), and closes the log and the port. Idempotent. Blocks: do not call
  /// it from an actor, which sends stop_node to the handle instead. Returns false if threads of the node are still
  /// blocked by a disk that does not answer (after node_options::close_timeout). They keep the data directory locked,
  /// and the destructor of the actor system would wait for them: a program that has to end calls _exit.
  bool stop(bool leave = false);

 private:
  struct parts;
  friend node start_node(caf::actor_system& system, node_options options,
                         std::vector<detail::machine_factory> services);
  explicit node(std::unique_ptr<parts> inside);
  const caf::actor& front(std::string_view service, detail::front_handlers_maker handlers);

  std::unique_ptr<parts> parts_;
};

/// Locks the data directory, binds the port and starts the node; it forms or joins its cluster in the background.
/// Throws `startup_error`. Most users call `spawn_node`.
node start_node(caf::actor_system& system, node_options options, std::vector<detail::machine_factory> services);

/// Starts a node with these services, whose names differ. Every node of a cluster has the same ones. The node makes
/// fresh copies of them whenever it starts its replica. The configuration of the system must be a troupe::config.
/// Throws `startup_error`.
template <class... Services> node spawn_node(caf::actor_system& system, node_options options, Services... services) {
  static_assert((detail::check_service<Services>() && ...));
  static_assert(detail::distinct_names<Services...>(), "two services have the same name");
  return start_node(system, std::move(options), {[services] { return detail::make_machine(services); }...});
}

} // namespace troupe

// The way into a cluster for processes that are no members of it.
//
//   auto client = troupe::spawn_client(system, {.endpoints = {"10.0.0.1:5000", "10.0.0.2:5000"}});
//   auto map = client.service<troupe::map_service>();
//   self->request(map, caf::infinite, troupe::map::put{...}).then(...);
//
// All callers of a client share its links: what they ask at the same time leaves in one message each way.
#pragma once

#include "actors/cluster/link_factory.hpp"
#include "actors/frontend/front.hpp"
#include "runtime/startup_error.hpp"
#include "runtime/transport/transport_settings.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace troupe {

struct client_options {
  /// Nodes to begin with, as host:port; at least one. Others are learned from those that answer, and the leader is
  /// found and followed.
  std::vector<std::string> endpoints;
  /// TLS and the cluster's secret.
  transport_settings transport = {};
  /// Without TLS: may follow nodes to other machines also where all endpoints are loopback addresses.
  bool insecure = false;
  /// What a request may take if it does not say so itself: 1 ms to 5 minutes; less or more counts as the nearest of
  /// these.
  std::chrono::milliseconds request_timeout{5'000};
  /// What `stop` waits for unanswered requests.
  std::chrono::milliseconds drain_timeout{5'000};
  /// What may be unanswered; more is rejected as overloaded.
  std::size_t max_pending = 100'000;
  std::size_t max_pending_bytes = 64 << 20;
};

/// A client's handle. Movable; used by one thread at a time, while the service actors that it gives may be used from
/// any. Must not outlive the actor system. The destructor stops the client at once: what is unanswered gets an error,
/// as rejected where it had not left this process, else as unknown.
class client {
 public:
  client(client&& other) noexcept;
  client& operator=(client&& other) noexcept;
  ~client();

  /// The actor that takes S's commands and queries as typed messages; the same one for every call.
  template <class S> service_actor<S> service() {
    auto& front = fronts_[std::string{S::name}];
    if (!front) front = caf::actor_cast<caf::actor>(spawn_front<S>(*system_, proxy_, {request_timeout_}));
    return caf::actor_cast<service_actor<S>>(front);
  }
  /// For commands that are already encoded; answers with outcome_batch.
  const proxy_handle& proxy() const noexcept { return proxy_; }

  /// Rejects new requests, waits until all earlier ones are answered (up to client_options::drain_timeout), and ends.
  /// Blocks: not to be called from an actor. Idempotent.
  void stop();

 private:
  friend client spawn_client(caf::actor_system& system, client_options options, link_factory_ptr factory);
  client(caf::actor_system& system, const client_options& options, link_factory_ptr factory);
  void end();

  caf::actor_system* system_;
  std::chrono::milliseconds request_timeout_;
  std::chrono::milliseconds drain_timeout_;
  proxy_handle proxy_;
  caf::actor links_;
  std::map<std::string, caf::actor> fronts_;
};

/// Starts a client; it connects in the background, and requests wait for that up to their deadline. The system's
/// configuration must be a troupe::config. Throws startup_error when an endpoint is not host:port or there is none, and
/// std::runtime_error when the transport's files are unusable.
///
/// An actor system may have any number of clients and nodes, of one cluster or several. They share one connection to
/// each other process. Those with different TLS files, names or secrets share none: when one of them is connected with
/// a process, the others cannot reach that process, and say so. The
/// same holds, without TLS, between those that stay on this machine and those that do not. A client without TLS stays
/// if all its endpoints are loopback addresses and it is not `insecure`, and a node unless it is.
client spawn_client(caf::actor_system& system, client_options options);
/// The same with another way from addresses to endpoints.
client spawn_client(caf::actor_system& system, client_options options, link_factory_ptr factory);

} // namespace troupe

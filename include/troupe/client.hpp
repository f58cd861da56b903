// Access to a cluster for processes that are not members of it.
//
//   auto client = troupe::spawn_client(system, {.endpoints = {"10.0.0.1:5000", "10.0.0.2:5000"}});
//   auto map = client.service<troupe::map_service>();
//   self->request(map, caf::infinite, troupe::map::put{...}).then(...);
//
// All callers of a client share its links: requests that are sent at the same time share one message each way.
#pragma once

#include <memory>
#include <string_view>
#include <troupe/config.hpp>
#include <troupe/detail/front.hpp>
#include <troupe/options.hpp>
#include <troupe/service_actor.hpp>
#include <troupe/startup_error.hpp>

namespace troupe {

/// A running client. Movable; not thread-safe, while the service actors that it returns may be used from any thread.
/// Must not outlive the actor system. The destructor stops the client at once: what is unanswered gets an error,
/// rejected if it had not left this process, otherwise unknown.
class client {
 public:
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  /// Returns the actor that takes the commands and queries of `S` as typed messages; the same one for every call.
  template <class S> service_actor<S> service() {
    static_assert(detail::check_service<S>());
    return caf::actor_cast<service_actor<S>>(front(S::name, &detail::make_front_handlers<S>));
  }

  /// Rejects new requests, waits until all earlier ones are answered (up to client_options::drain_timeout), and ends.
  /// Idempotent. Blocks: do not call it from an actor.
  void stop();

 private:
  struct parts;
  friend class client_access;
  explicit client(std::unique_ptr<parts> inside);
  const caf::actor& front(std::string_view service, detail::front_handlers_maker handlers);

  std::unique_ptr<parts> parts_;
};

/// Starts a client. It connects in the background; requests wait for that up to their deadline. The configuration of
/// the system must be a troupe::config. Throws startup_error when there is no endpoint or one is not host:port, and
/// std::runtime_error when the files of the transport are unusable.
///
/// An actor system may have any number of clients and nodes, of one or several clusters. They share one connection to
/// each other process; transport_settings says which of them do not.
client spawn_client(caf::actor_system& system, client_options options);

} // namespace troupe

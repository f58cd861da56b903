// The handle of a service: it takes the service's own messages and answers with their results.
//
//   troupe::service_actor<troupe::map_service> map = node.service<troupe::map_service>();
//   self->request(map, caf::infinite, troupe::map::put{"users", "ada", value}).then(
//       [](const troupe::map::put_result& done) { ... },
//       [](const caf::error& e) { const auto info = troupe::describe(e); ... });
//
// A request is always answered, at the latest by its deadline, so no CAF timeout is needed. A failure is an error of
// `make_error` (errors.hpp): `describe` returns its class (surely not done, or unknown), whether a retry may help, and
// who leads.
#pragma once

#include <chrono>
#include <troupe/detail/caf.hpp>
#include <troupe/service.hpp>
#include <type_traits>

namespace troupe {

/// A message of a service with options of its own.
template <class M> struct with {
  M request;
  /// The deadline, from 1 ms to 5 minutes after the request; other values become the nearest of these. 0: the default
  /// of the node or client.
  std::chrono::milliseconds timeout{0};
  /// For queries: answer from the state of the node that was asked, which may lag behind. Commands ignore it.
  bool stale = false;
};

namespace detail {

template <class Commands, class Queries> struct service_handle_of;
template <class... Cs, class... Qs> struct service_handle_of<types<Cs...>, types<Qs...>> {
  using type = compat::handle<typename Cs::result(Cs)..., typename Cs::result(with<Cs>)..., typename Qs::result(Qs)...,
                              typename Qs::result(with<Qs>)...>;
};

} // namespace detail

/// Takes each command and query of `S`, plain or in a `with`, and answers with its `result`. Thread-safe as any handle.
template <class S>
using service_actor = typename detail::service_handle_of<typename S::commands, typename S::queries>::type;

} // namespace troupe

/// @cond
// Messages and results of services stay inside their process.
template <class T>
requires troupe::has_fields<T> || troupe::detail::message<T>
inline constexpr bool troupe::compat::is_service_message<T> = true;
template <class M> inline constexpr bool troupe::compat::is_service_message<troupe::with<M>> = true;
/// @endcond

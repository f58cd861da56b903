// troupe/detail/caf.hpp for CAF 0.17.6.
#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <type_traits>

namespace troupe::compat {

template <class Signature> struct signature;
template <class Result, class... Xs> struct signature<Result(Xs...)> {
  using type = typename caf::replies_to<Xs...>::template with<Result>;
};
template <class... Xs> struct signature<void(Xs...)> { using type = caf::reacts_to<Xs...>; };

/// A typed actor handle from plain function signatures: `handle<void(ping), pong(query)>`.
template <class... Signatures> using handle = caf::typed_actor<typename signature<Signatures>::type...>;

} // namespace troupe::compat

template <class T>
requires troupe::compat::is_service_message<T>
struct caf::allowed_unsafe_message_type<T> : std::true_type {
};

/// Makes a struct a message that never leaves its process.
#define TROUPE_LOCAL_MESSAGE(type)                                                                                     \
  template <> struct caf::allowed_unsafe_message_type<type> : std::true_type {}
/// CAF 0.17 has no numbers of types.
#define TROUPE_TYPE_ID(type) static_assert(true)
/// TROUPE_LOCAL_MESSAGE for a message of the library.
#define TROUPE_LIBRARY_MESSAGE(type) TROUPE_LOCAL_MESSAGE(type)

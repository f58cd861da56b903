// Typed handles and local messages in one spelling for all supported versions of CAF.
#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/detail/tuple_vals.hpp>
#include <caf/detail/type_erased_value_impl.hpp>
#include <caf/mailbox_element.hpp>
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

/// Makes a struct a message that never leaves its process.
#define TROUPE_LOCAL_MESSAGE(type)                                                                                     \
  template <> struct caf::allowed_unsafe_message_type<type> : std::true_type {}

/// Lets one source file of the library hold what CAF compiles for a message type, instead of every file that sends or
/// takes such a message: this halves the time to compile an actor. That file defines TROUPE_HOLDS_MESSAGE_CODE.
#define TROUPE_SHARED_MESSAGE_CODE(type)                                                                               \
  TROUPE_SHARED class caf::detail::type_erased_value_impl<type>;                                                       \
  TROUPE_SHARED class caf::detail::tuple_vals_impl<caf::detail::message_data, type>;                                   \
  TROUPE_SHARED class caf::detail::tuple_vals<type>;                                                                   \
  TROUPE_SHARED class caf::detail::tuple_vals_impl<caf::type_erased_tuple, type>;                                      \
  TROUPE_SHARED caf::message caf::mailbox_element_vals<type>::move_content_to_message();                               \
  TROUPE_SHARED caf::message caf::mailbox_element_vals<type>::copy_content_to_message() const
#ifdef TROUPE_HOLDS_MESSAGE_CODE
#define TROUPE_SHARED template
#else
#define TROUPE_SHARED extern template
#endif

/// TROUPE_LOCAL_MESSAGE for a message of the library itself.
#define TROUPE_LIBRARY_MESSAGE(type)                                                                                   \
  TROUPE_LOCAL_MESSAGE(type);                                                                                          \
  TROUPE_SHARED_MESSAGE_CODE(type)

// troupe/detail/caf.hpp for CAF 1.x.
#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>
#include <string>
#include <troupe/detail/type_ids.hpp>
#include <type_traits>
#include <vector>

namespace troupe::compat {

template <class Signature> struct signature;
template <class Result, class... Xs> struct signature<Result(Xs...)> { using type = caf::result<Result>(Xs...); };

/// A typed actor handle from plain function signatures: `handle<void(ping), pong(query)>`. With one signature, CAF's
/// shorter spelling is a type whose base class has another behavior type.
template <class... Signatures>
using handle = caf::typed_actor<caf::statically_typed<typename signature<Signatures>::type...>>;

} // namespace troupe::compat

template <class T>
requires troupe::compat::is_service_message<T>
struct caf::allowed_unsafe_message_type<T> : std::true_type {
};
template <class T>
requires troupe::compat::is_service_message<T>
inline constexpr troupe::compat::id_from troupe::compat::id_source<T> = troupe::compat::id_from::name;

// Results that CAF has no number for.
template <class T>
requires(std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) inline constexpr troupe::compat::id_from
    troupe::compat::id_source<std::vector<T>> = troupe::compat::id_from::name;

/// Makes a struct a message that never leaves its process.
#define TROUPE_LOCAL_MESSAGE(type)                                                                                     \
  template <> struct caf::allowed_unsafe_message_type<type> : std::true_type {};                                       \
  template <> inline constexpr auto troupe::compat::id_source<type> = troupe::compat::id_from::name
/// Gives a type of the library the number that troupe/detail/message_types.hpp lists.
#define TROUPE_TYPE_ID(type)                                                                                           \
  template <> inline constexpr auto troupe::compat::id_source<type> = troupe::compat::id_from::table
/// TROUPE_LOCAL_MESSAGE for a message of the library.
#define TROUPE_LIBRARY_MESSAGE(type)                                                                                   \
  template <> struct caf::allowed_unsafe_message_type<type> : std::true_type {};                                       \
  TROUPE_TYPE_ID(type)

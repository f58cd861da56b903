// Declares the messages to CAF. Included at the end of interfaces.hpp.
#pragma once

#include "actors/caf.hpp"

#if !TROUPE_CAF_1
#include <caf/detail/tuple_vals.hpp>
#include <caf/detail/type_erased_value_impl.hpp>
#include <caf/mailbox_element.hpp>
#endif

#include <troupe/detail/message_types.hpp>

#if TROUPE_CAF_1
/// CAF 1.x has no such templates to share.
#define TROUPE_SHARED_MESSAGE_CODE(type) static_assert(true)
#else
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
#endif

// The messages that never leave the process.
#define TROUPE_DECLARE(type)                                                                                           \
  TROUPE_LIBRARY_MESSAGE(troupe::type);                                                                                \
  TROUPE_SHARED_MESSAGE_CODE(troupe::type);
TROUPE_PROTOCOL_TYPES(TROUPE_DECLARE)
#undef TROUPE_DECLARE

// The messages that cross the network.
#define TROUPE_DECLARE(type, name)                                                                                     \
  TROUPE_TYPE_ID(troupe::type);                                                                                        \
  TROUPE_SHARED_MESSAGE_CODE(troupe::type);
TROUPE_WIRE_MESSAGES(TROUPE_DECLARE)
#undef TROUPE_DECLARE

// The messages of public headers, which declare them.
#define TROUPE_DECLARE(type) TROUPE_SHARED_MESSAGE_CODE(troupe::type);
TROUPE_PUBLIC_TYPES(TROUPE_DECLARE)
#undef TROUPE_DECLARE

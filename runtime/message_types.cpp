#include "runtime/message_types.hpp"

#include "actors/cluster/client_link.hpp"
#include "actors/protocol/wire_messages.hpp"
#include "actors/replica/log_opener.hpp"
#include "runtime/node_actor.hpp"
#include "runtime/node_setup.hpp"
#include "runtime/proxy_question.hpp"
#include "runtime/transport/connector.hpp"

#include <troupe/detail/caf.hpp>
#include <troupe/detail/message_types.hpp>
#include <troupe/discovery.hpp>
#include <troupe/events.hpp>
#include <troupe/requests.hpp>

#if TROUPE_CAF_1
#include "actors/type_registry.hpp"

#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>

#include <mutex>
#endif

namespace troupe {

#define TROUPE_COUNT(...) +1
static_assert((0 TROUPE_WIRE_TYPES(TROUPE_COUNT)) == (1 TROUPE_WIRE_MESSAGES(TROUPE_COUNT)),
              "besides errors, every type that crosses the network is a message that the guard knows");
#undef TROUPE_COUNT

#if TROUPE_CAF_1

namespace {

template <class T> bool announce_library_type() {
  static_assert(compat::id_source<T> == compat::id_from::table, "declare the type with TROUPE_LIBRARY_MESSAGE");
  return compat::registered<T>;
}

/// Makes the library's types announce themselves before main starts, if the program contains this file.
[[maybe_unused]] const bool library_types = [] {
#define TROUPE_ANNOUNCE(type) announce_library_type<type>();
  TROUPE_WIRE_TYPES(TROUPE_ANNOUNCE)
  TROUPE_LOCAL_TYPES(TROUPE_ANNOUNCE)
#undef TROUPE_ANNOUNCE
  return true;
}();

} // namespace

void register_message_types(caf::actor_system_config&) {
  static std::once_flag once;
  std::call_once(once, [] {
    caf::core::init_global_meta_objects();
    caf::io::middleman::init_global_meta_objects();
  });
  compat::check_types();
}

#else

void register_message_types(caf::actor_system_config& config) {
  for_each_wire_message([&]<class Message>(const char* name) { config.add_message_type<Message>(name); });
}

#endif

} // namespace troupe

#include "runtime/transport/caf_wire.hpp"

#include "actors/caf.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/wire_messages.hpp"

namespace troupe {

#if TROUPE_CAF_1

std::shared_ptr<const net::basp_format> caf_format() {
  return std::make_shared<const net::basp_8>(
      net::basp_8::type_ids{caf::type_id_v<std::string>,
                            caf::type_id_v<caf::error>,
                            {caf::type_id_v<caf::sec>, caf::type_id_v<caf::pec>, caf::type_id_v<caf::exit_reason>,
                             caf::type_id_v<compat::own_error_code>}});
}

net::message_types caf_message_types() {
  net::message_types types;
  for_each_wire_message([&]<class Message>(const char*) {
    static_assert(caf::type_id_v<Message> < compat::first_local_id, "list the message in TROUPE_WIRE_TYPES");
    types.emplace(net::basp_8::written(caf::type_id_v<Message>), wire::is_encoded<Message>);
  });
  return types;
}

#else

std::shared_ptr<const net::basp_format> caf_format() { return std::make_shared<const net::basp_3>(); }

net::message_types caf_message_types() {
  net::message_types types;
  for_each_wire_message([&]<class Message>(const char* name) { types.emplace(name, wire::is_encoded<Message>); });
  return types;
}

#endif

} // namespace troupe

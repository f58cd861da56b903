#include "tests/actor/caf_dialect.hpp"

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/wire_messages.hpp"

#include <stdexcept>

namespace troupe::net::testing {

#if TROUPE_CAF_1

const basp_dialect& caf_dialect() {
  static const basp_8_dialect dialect{{caf::type_id_v<std::string>,
                                       caf::type_id_v<caf::error>,
                                       {caf::type_id_v<caf::exit_reason>, caf::type_id_v<caf::sec>,
                                        caf::type_id_v<caf::pec>, caf::type_id_v<compat::own_error_code>}}};
  return dialect;
}

std::string caf_type(std::string_view name) {
  std::string found;
  for_each_wire_message([&]<class Message>(const char* other) {
    if (name == other) found = basp_8::written(caf::type_id_v<Message>);
  });
  if (found.empty()) throw std::invalid_argument("no message that nodes exchange: " + std::string{name});
  return found;
}

#else

const basp_dialect& caf_dialect() {
  static const basp_3_dialect dialect;
  return dialect;
}

std::string caf_type(std::string_view name) { return std::string{name}; }

#endif

} // namespace troupe::net::testing

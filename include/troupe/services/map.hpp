// The replicated map, for programs that use it: its messages, its class, and its code, which is compiled once, in the
// library.
#pragma once

#include <memory>
#include <troupe/detail/front.hpp>
#include <troupe/detail/machine.hpp>
#include <troupe/services/map_service.hpp>

namespace troupe::detail {

extern template std::unique_ptr<machine> make_machine<map_service>(map_service service);
extern template caf::message_handler make_front_handlers<map_service>(front_access& front);

} // namespace troupe::detail

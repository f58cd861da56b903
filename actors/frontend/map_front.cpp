// The handlers of the map service's front, compiled here so that user programs need not compile them.
#include <troupe/services/map.hpp>

template caf::message_handler troupe::detail::make_front_handlers<troupe::map_service>(front_access& front);

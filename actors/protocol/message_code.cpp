#define TROUPE_HOLDS_MESSAGE_CODE
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/observer.hpp"

#include <troupe/discovery.hpp>
#include <troupe/events.hpp>
#include <troupe/requests.hpp>

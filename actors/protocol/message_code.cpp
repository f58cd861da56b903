#define TROUPE_HOLDS_MESSAGE_CODE
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/observer.hpp"

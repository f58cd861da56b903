#include "runtime/transport/incidents.hpp"

namespace troupe::net {

const char* to_string(incident what) {
  switch (what) {
  case incident::accepted:
    return "accepted";
  case incident::dialed:
    return "dialed";
  case incident::refused_by_limit:
    return "refused_by_limit";
  case incident::opening_failed:
    return "opening_failed";
  case incident::violation:
    return "violation";
  case incident::identity_refused:
    return "identity_refused";
  case incident::message_dropped:
    return "message_dropped";
  case incident::held_back:
    return "held_back";
  case incident::cut_silent:
    return "cut_silent";
  case incident::cut_unintroduced:
    return "cut_unintroduced";
  case incident::cut_for_memory:
    return "cut_for_memory";
  }
  return "?";
}

} // namespace troupe::net

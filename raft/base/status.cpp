#include <troupe/status.hpp>

namespace troupe {

const char* to_string(node_phase phase) {
  switch (phase) {
  case node_phase::forming:
    return "forming";
  case node_phase::opening:
    return "opening";
  case node_phase::running:
    return "running";
  case node_phase::leaving:
    return "leaving";
  case node_phase::handing_over:
    return "handing_over";
  case node_phase::draining:
    return "draining";
  case node_phase::restarting:
    return "restarting";
  case node_phase::no_room:
    return "no_room";
  case node_phase::disk_failed:
    return "disk_failed";
  case node_phase::stopping:
    return "stopping";
  }
  return "unknown";
}

const char* to_string(peer_state state) {
  switch (state) {
  case peer_state::alive:
    return "alive";
  case peer_state::suspect:
    return "suspect";
  case peer_state::dead:
    return "dead";
  }
  return "unknown";
}

const char* to_string(disk_state state) {
  switch (state) {
  case disk_state::ok:
    return "ok";
  case disk_state::full:
    return "full";
  case disk_state::stalled:
    return "stalled";
  case disk_state::failed:
    return "failed";
  }
  return "unknown";
}

} // namespace troupe

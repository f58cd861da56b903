#include "actors/started_parts.hpp"

#include "actors/log.hpp"

#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>

namespace troupe {

started_parts::~started_parts() {
  if (parts_.empty()) return;
  try {
    caf::scoped_actor self{system_};
    for (const auto& part : parts_) {
      self->monitor(part);
      self->send_exit(part, caf::exit_reason::user_shutdown);
    }
    auto left = parts_.size();
    parts_.clear();
    for (bool late = false; left > 0 && !late;)
      self->receive([&](const caf::down_msg&) { --left; }, caf::after(patience) >> [&] { late = true; });
  } catch (const std::exception& e) {
    log().error("what was begun and could not be finished does not end: {}", e.what());
  }
}

} // namespace troupe

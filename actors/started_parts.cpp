#include "actors/started_parts.hpp"

#include <caf/after.hpp>

#include <algorithm>
#include <troupe/log.hpp>

namespace troupe {

started_parts::~started_parts() {
  if (parts_.empty()) return;
  try {
    compat::blocking_self self{system_};
    for (const auto& part : parts_) {
      self.monitor(part);
      self.send_exit(part, caf::exit_reason::user_shutdown);
    }
    auto left = parts_.size();
    parts_.clear();
    const auto until = system_.clock().now() + patience_;
    for (bool late = false; left > 0 && !late;) {
      const auto wait = std::max(caf::timespan::zero(), until - system_.clock().now());
      self.receive([&](const caf::down_msg&) { --left; }, caf::after(wait) >> [&] { late = true; });
    }
  } catch (const std::exception& e) {
    log().error("cannot stop the actors of an unfinished start: {}", e.what());
  }
}

} // namespace troupe

#include "actors/caf.hpp"

#include <fmt/format.h>
#include <troupe/errors.hpp>
#include <troupe/printable.hpp>

namespace troupe::compat {

void trace_life(caf::local_actor& self) {
  constexpr std::size_t max_reason = 200; // it may contain text from another node
  const auto who = fmt::format("{} {}", self.name(), self.id());
  trace::write(trace::actors, who + " starts");
  self.attach_functor([who, &system = self.system()](const caf::error& reason) {
    trace::write(trace::actors,
                 who + (reason ? " ends: " + printable(to_text(system, reason), max_reason) : " ends normally"));
  });
}

} // namespace troupe::compat

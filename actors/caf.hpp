// Hides the differences between the supported versions of CAF: sending, monitors, settings, errors. All other code uses
// only what these versions have in common. actors/caf_0_17.hpp and actors/caf_1.hpp hold what differs.
#pragma once

#include "actors/trace.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <troupe/detail/caf.hpp>
#include <utility>

namespace troupe::compat {

/// Shows the start of an actor in the live trace, and later its end with the reason.
void trace_life(caf::local_actor& self);

} // namespace troupe::compat

#if TROUPE_CAF_1
#include "actors/caf_1.hpp"
#else
#include "actors/caf_0_17.hpp"
#endif

namespace troupe::compat {

inline caf::error reason_of(const std::exception& e) {
  return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
}

/// Makes an exception that leaves a handler end the actor with an error that carries the exception's text. CAF by
/// itself drops the text.
template <class Self> void end_on_exceptions(Self* self, caf::error (*as_error)(const std::exception&) = reason_of) {
  self->set_exception_handler([as_error](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      return caf::sec::runtime_error; // there may be no memory for a text
    } catch (const std::exception& e) {
      return as_error(e);
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error, std::string{"unknown exception"});
    }
  });
}

/// The string at `position` (from 0) in an error's context; empty if there is no string.
inline std::string error_text(const caf::error& e, std::size_t position) {
  const auto& context = e.context();
  if (position >= context.size() || !context.match_element<std::string>(position)) return {};
  return context.get_as<std::string>(position);
}

} // namespace troupe::compat

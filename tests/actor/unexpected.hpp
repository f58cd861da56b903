// What an actor of a test does with messages that it has no handler for.
#pragma once

#include "actors/caf.hpp"

namespace troupe::test {

#if TROUPE_CAF_1
using unexpected = caf::message;
using unexpected_outcome = caf::skippable_result;
#else
using unexpected = caf::message_view;
using unexpected_outcome = caf::result<caf::message>;
#endif

/// Calls `handler`, which returns an unexpected_outcome.
template <class Self, class Handler> void on_unexpected(Self& self, Handler handler) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  self.set_default_handler(
      [handler](caf::scheduled_actor*, unexpected&) mutable -> unexpected_outcome { return handler(); });
#pragma GCC diagnostic pop
}

} // namespace troupe::test

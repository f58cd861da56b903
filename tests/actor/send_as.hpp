// Messages in the name of another actor.
#pragma once

#include "actors/caf.hpp"

namespace troupe::test {

/// Sends `message` to `to`, which sees `from` as its sender.
template <class From, class To, class Message> void send_as(const From& from, const To& to, Message&& message) {
#if TROUPE_CAF_1
  caf::detail::send_as(from, to, std::forward<Message>(message));
#else
  caf::send_as(from, to, std::forward<Message>(message));
#endif
}

} // namespace troupe::test

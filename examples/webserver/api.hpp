// The HTTP API: which request means what, and how results look. README.md in this directory is its manual.
#pragma once

#include "runtime/http/message.hpp"
#include "services/map/messages.hpp"

#include <chrono>
#include <variant>

namespace troupe::webserver {

/// A message for the map service, on whose result the response depends.
template <class M> struct call {
  M message;
  std::chrono::milliseconds timeout;
  bool stale = false;
  http::response (*render)(const typename M::result&) = nullptr;
};

struct ask_liveness {};
struct ask_readiness {};
struct ask_status {};
struct ask_snapshot {};
struct ask_backup {
  std::chrono::milliseconds timeout;
};

/// What a request comes down to: an answer that is certain already (an error), or a question.
using routed =
    std::variant<http::response, ask_liveness, ask_readiness, ask_status, ask_snapshot, ask_backup, call<map::put>,
                 call<map::remove>, call<map::compare_and_swap>, call<map::get>, call<map::list_keys>>;

/// How long a request may take that does not say.
inline constexpr std::chrono::seconds default_timeout{5};

/// Takes the request's parts. Any thread.
routed route(http::request&& asked);

} // namespace troupe::webserver

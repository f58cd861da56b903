// Reads large bodies, so that the HTTP server's thread goes on with others meanwhile.
#pragma once

#include "examples/webserver/gateway.hpp"

namespace troupe::webserver {

/// A body of more than this is read by the worker.
inline constexpr std::size_t large_body = 64 << 10;

/// A request as it came.
struct unread_call {
  http::request asked;
  http::responder responder;
};

using body_worker_handle = compat::handle<void(unread_call)>;

/// Routes requests and passes them on. It computes, and so has a thread of its own. What waits for it is bounded by the
/// HTTP server's memory: a request counts there until it is answered.
class body_worker : public body_worker_handle::base {
 public:
  body_worker(caf::actor_config& config, gateway_handle to);
  behavior_type make_behavior() override;
  const char* name() const override { return "body_worker"; }
  void on_exit() override { to_ = nullptr; }

 private:
  gateway_handle to_;
};

} // namespace troupe::webserver

TROUPE_LOCAL_MESSAGE(troupe::webserver::unread_call);

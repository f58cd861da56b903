// Parses large bodies, so that the HTTP server's thread can serve other requests meanwhile.
#pragma once

#include "examples/webserver/gateway.hpp"

namespace troupe::webserver {

/// The worker parses bodies that have more bytes than this.
inline constexpr std::size_t large_body = 64 << 10;

/// A request that has not been routed yet.
struct unread_call {
  http::request req;
  http::responder responder;
};

using body_worker_handle = compat::handle<void(unread_call)>;

/// Routes requests and passes them on to the gateway. It has a thread of its own because parsing takes CPU time. The
/// HTTP server's memory limit bounds its mailbox: a request counts towards that limit until it is answered.
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

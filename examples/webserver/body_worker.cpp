#include "examples/webserver/body_worker.hpp"

#include <exception>
#include <utility>

namespace troupe::webserver {

body_worker::body_worker(caf::actor_config& config, gateway_handle to)
    : body_worker_handle::base(config), to_(std::move(to)) {}

body_worker_handle::behavior_type body_worker::make_behavior() {
  return {[this](unread_call& call) {
    try {
      send(to_, http_call{route(std::move(call.req)), call.responder});
    } catch (const std::exception& error) { // out of memory, for example
      call.responder.send(http::error_response(500, "internal", error.what()));
    }
  }};
}

} // namespace troupe::webserver

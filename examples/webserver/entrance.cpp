#include "examples/webserver/entrance.hpp"

#include <caf/send.hpp>

#include <troupe/startup_error.hpp>
#include <troupe/threads.hpp>
#include <utility>

namespace troupe::webserver {

void entrance::open(gateway_handle to, body_worker_handle large) {
  const std::lock_guard lock{mutex_};
  // One of the actors may have failed already.
  if (closed_) return;
  to_ = std::move(to);
  large_ = std::move(large);
}

void entrance::close(const std::string& why) {
  const std::lock_guard lock{mutex_};
  if (std::exchange(closed_, true)) return;
  to_ = nullptr;
  large_ = nullptr;
  why_ = why;
}

void entrance::pass(http::request req, http::responder responder) {
  const std::lock_guard lock{mutex_};
  if (!to_) return responder.send(http::error_response(503, "not_ready", why_, "rejected", true));
  if (req.body.size() > large_body) return caf::anon_send(large_, unread_call{std::move(req), std::move(responder)});
  caf::anon_send(to_, http_call{route(std::move(req)), std::move(responder)});
}

workers::workers(caf::actor_system& system, const node_handle& node, const service_actor<map_service>& map,
                 std::shared_ptr<entrance> entry, const std::function<void(const std::string&)>& on_failure)
    : entry_(std::move(entry)) {
  const thread_check check{1};
  if (!check.objection().empty()) throw startup_error(check.objection());
  gateway_ = system.spawn<webserver::gateway>(
      node, map, [on_failure](const std::string& why) { on_failure("the node stopped: " + why); });
  large_ = system.spawn<body_worker, caf::detached>(gateway_);
  const auto watch = [&](const auto& actor, const std::string& what) {
    caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor(
        [&system, entry = entry_, on_failure, what](const caf::error& reason) {
          if (is_orderly(reason)) return;
          const auto why = what + " failed: " + to_text(system, reason);
          entry->close(why);
          on_failure(why);
        });
  };
  watch(gateway_, "the gateway between HTTP and the node");
  watch(large_, "the worker that parses large bodies");
  entry_->open(gateway_, large_);
}

workers::~workers() {
  entry_->close("the node is stopping");
  caf::anon_send_exit(large_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(gateway_, caf::exit_reason::user_shutdown);
}

} // namespace troupe::webserver

// What stands between the HTTP server and the node: the actors that serve requests, and the place where the server's
// threads find them.
#pragma once

#include "examples/webserver/body_worker.hpp"
#include "examples/webserver/gateway.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::webserver {

/// Passes requests to the actors that serve them; without any, it answers with 503 and the reason. Thread-safe.
class entrance {
 public:
  void open(gateway_handle to, body_worker_handle large);
  /// The first reason counts.
  void close(const std::string& why);
  void pass(http::request asked, http::responder responder);

 private:
  std::mutex mutex_;
  gateway_handle to_;
  body_worker_handle large_;
  bool closed_ = false;
  std::string why_ = "the node is starting";
};

/// The actors behind an entrance, which is open as long as this object lives and none of them has failed.
class workers {
 public:
  /// `on_failure` is called with one line when one of the actors fails or the node ends, on a thread of the actor
  /// system, and possibly more than once. Throws `startup_error` where no thread can be started.
  workers(caf::actor_system& system, const node_handle& node, const service_actor<map_service>& map,
          std::shared_ptr<entrance> door, const std::function<void(const std::string&)>& on_failure);
  ~workers();
  workers(const workers&) = delete;

  const gateway_handle& gateway() const noexcept { return gateway_; }
  const body_worker_handle& large() const noexcept { return large_; }

 private:
  std::shared_ptr<entrance> door_;
  gateway_handle gateway_;
  body_worker_handle large_;
};

} // namespace troupe::webserver

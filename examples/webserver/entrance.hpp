// Connects the HTTP server to the node: the actors that serve requests, and the object through which the server's
// threads reach them.
#pragma once

#include "examples/webserver/body_worker.hpp"
#include "examples/webserver/gateway.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::webserver {

/// Passes requests to the actors that serve them. Before they are there, and after one has failed, it answers with 503
/// and the reason. Thread-safe.
class entrance {
 public:
  void open(gateway_handle to, body_worker_handle large);
  /// Rejects all further requests with `why`. Only the first call has an effect.
  void close(const std::string& why);
  void pass(http::request req, http::responder responder);

 private:
  std::mutex mutex_;
  gateway_handle to_;
  body_worker_handle large_;
  bool closed_ = false;
  std::string why_ = "the node is starting";
};

/// Owns the actors behind an entrance. The entrance is open while this object lives and none of the actors has failed.
class workers {
 public:
  /// Calls `on_failure` with one line when one of the actors fails or the node stops: on a thread of the actor system,
  /// possibly more than once. Throws `startup_error` if no thread can be started.
  workers(caf::actor_system& system, const node_handle& node, const service_actor<map_service>& map,
          std::shared_ptr<entrance> entry, const std::function<void(const std::string&)>& on_failure);
  ~workers();
  workers(const workers&) = delete;

  const gateway_handle& gateway() const noexcept { return gateway_; }
  const body_worker_handle& large() const noexcept { return large_; }

 private:
  std::shared_ptr<entrance> entry_;
  gateway_handle gateway_;
  body_worker_handle large_;
};

} // namespace troupe::webserver

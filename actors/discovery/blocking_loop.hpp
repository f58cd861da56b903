// Turns a blocking discovery method into an actor. The method runs on its own thread, and the actor never waits for it.
//
//   [waiting] -- the method reports addresses --> [reporting] -- new addresses, or report_peers --> [reporting]
//   worker: [running] -- failed --> (pause) --> [running]         the actor ends --> stop requested --> (gone)
//
// The worker is a detached actor, so that only the actor system waits for its thread, at shutdown.
#pragma once

#include "actors/discovery/discovery_loop.hpp"
#include "discovery/blocking_method.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// For a method that announces its own node. The actor calls it with the node's identity, at the start and whenever the
/// identity may have changed.
using self_listener = std::function<void(const hello&)>;

class blocking_source : public peer_source {
 public:
  /// The spawned actor takes over `method`, so `spawn` may be called only once.
  blocking_source(std::string name, std::shared_ptr<blocking_method> method, self_listener self = {})
      : name_(std::move(name)), method_(std::move(method)), self_(std::move(self)) {}
  std::string name() const override { return name_; }
  discovery_handle spawn(caf::actor_system& system, peers_listener listener) override;

 private:
  std::string name_;
  std::shared_ptr<blocking_method> method_;
  self_listener self_;
};

} // namespace troupe

// Makes a discovery actor of a blocking method: the method runs on a thread of its own, the actor never waits for it.
//
//   [waiting] -- the method has found something --> [reporting] -- it found something else, or report_peers --> (again)
//   worker: [running] -- failed --> (pause) --> [running]         the actor ends --> told to stop --> (gone)
//
// The worker is a detached actor, so that the actor system waits for its thread when it ends, and nobody else does.
#pragma once

#include "actors/discovery/discovery_loop.hpp"
#include "discovery/blocking_method.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// For a method that tells others about its own node: it is called with what that is now and whenever that may have
/// changed, by the actor.
using self_listener = std::function<void(const hello&)>;

class blocking_source : public peer_source {
 public:
  /// `method` belongs to the actor that is spawned; so there is one.
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

// The actor around a service. It applies commands in log order, answers queries, provides views of the state for
// snapshots, and replaces the state by a loaded one.
//
//   (spawned by the node) --> [serving] --- the service throws --> quits with the error: the node stops the replica
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "services/machine.hpp"

#include <memory>

namespace troupe::services {

class shell : public service_handle::base {
 public:
  shell(caf::actor_config& config, std::unique_ptr<machine> service);
  behavior_type make_behavior() override;
  const char* name() const override { return "service"; }

 private:
  /// Sends to the dispatcher whose message is being handled.
  template <class Message> void answer(Message message) {
    send(caf::actor_cast<dispatcher_handle>(current_sender()), std::move(message));
  }
  applied_batch apply(const apply_batch& batch);
  queried_batch query(const query_items& batch) const;

  std::unique_ptr<machine> service_;
};

} // namespace troupe::services

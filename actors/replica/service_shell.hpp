// The actor that runs one service: it applies commands in log order, answers queries from the resulting state, provides
// views of the state for snapshots, and loads another state.
//
//   (spawned by the node) --> [serving] --- the service throws --> quits with the error: the node restarts its replica
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <memory>
#include <troupe/detail/machine.hpp>

namespace troupe {

class service_shell : public compat::typed_base<service_handle> {
 public:
  service_shell(caf::actor_config& config, std::unique_ptr<detail::machine> service);
  behavior_type make_behavior() override;
  const char* name() const override { return "service"; }

 private:
  /// Sends to the dispatcher whose message is being handled.
  template <class Message> void answer(Message message) {
    send(caf::actor_cast<dispatcher_handle>(current_sender()), std::move(message));
  }
  applied_batch apply(const apply_batch& batch);
  queried_batch query(const query_items& batch) const;

  std::unique_ptr<detail::machine> service_;
};

} // namespace troupe

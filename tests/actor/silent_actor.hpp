// An actor that replaces those that a test does not need.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <utility>

namespace troupe::test {

/// Handles messages with `answers`, and leaves all others unanswered.
class silent_actor : public caf::event_based_actor {
 public:
  explicit silent_actor(caf::actor_config& config, caf::behavior answers = {[](const flush&) {}})
      : caf::event_based_actor(config), answers_(std::move(answers)) {}
  caf::behavior make_behavior() override {
    // Not caf::drop, which answers with an error that would end the sender.
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::delegated<caf::message>{};
    });
    return std::move(answers_);
  }

 private:
  caf::behavior answers_;
};

} // namespace troupe::test

// An actor that stands in for others of which a test expects nothing.
#pragma once

#include "actors/protocol/interfaces.hpp"

#include <utility>

namespace troupe::test {

/// Answers what `answers` takes, and leaves every other message unanswered.
class silent_actor : public caf::event_based_actor {
 public:
  explicit silent_actor(caf::actor_config& config, caf::behavior answers = {[](const flush&) {}})
      : caf::event_based_actor(config), answers_(std::move(answers)) {}
  caf::behavior make_behavior() override {
    // Not caf::drop, which answers with an error, of which the sender would die.
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::delegated<caf::message>{};
    });
    return std::move(answers_);
  }

 private:
  caf::behavior answers_;
};

} // namespace troupe::test

// An actor that replaces those that a test does not need.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "tests/actor/unexpected.hpp"

#include <utility>

namespace troupe::test {

/// Handles messages with `answers`, and leaves all others unanswered.
class silent_actor : public compat::untyped_base {
 public:
  explicit silent_actor(caf::actor_config& config, caf::behavior answers = {[](const flush&) {}})
      : compat::untyped_base(config), answers_(std::move(answers)) {}
  caf::behavior make_behavior() override {
    // Not caf::drop, which answers with an error that would end the sender.
    on_unexpected(*this, [] { return caf::delegated<caf::message>{}; });
    return std::move(answers_);
  }

 private:
  caf::behavior answers_;
};

} // namespace troupe::test

// Hides the differences between the supported versions of CAF: sending, monitors, settings, errors. All other code uses
// only what these versions have in common. actors/caf_0_17.hpp and actors/caf_1.hpp hold what differs.
#pragma once

#include "actors/trace.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <troupe/detail/caf.hpp>
#include <utility>

#if TROUPE_CAF_1
#include "actors/caf_1.hpp"
#else
#include "actors/caf_0_17.hpp"
#endif

namespace troupe::compat {

/// Shows the start of an actor in the live trace, and later its end with the reason.
void trace_life(caf::local_actor& self);

/// The calls that an actor makes, in one spelling for all versions of CAF. Every actor of this project derives from
/// typed_base or untyped_base, and uses nothing but these to talk to others.
///
/// An actor overrides `on_end` for what it does at its end: its last messages, and letting go of all handles.
template <class Base> class actor_calls : public end_hook<Base> {
 public:
  using end_hook<Base>::end_hook;

  /// The first thing that an actor does.
  void initialize() override {
    if (trace::is_on(trace::actors)) trace_life(*this);
    Base::initialize();
  }

  template <class To, class Message> void send(const To& to, Message&& message) {
    mailing::send(caf_self(), to, std::forward<Message>(message));
  }
  template <class To, class Duration, class Message> void delayed_send(const To& to, Duration wait, Message&& message) {
    mailing::delayed_send(caf_self(), to, wait, std::forward<Message>(message));
  }
  /// Returns what `then` is called on.
  template <class To, class Timeout, class... Parts> auto request(const To& to, Timeout timeout, Parts&&... message) {
    return mailing::request(caf_self(), to, timeout, std::forward<Parts>(message)...);
  }
  /// For the end of a handler: `to` answers the request that is being handled.
  template <class To, class Message> auto delegate(const To& to, Message&& message) {
    return mailing::delegate(caf_self(), to, std::forward<Message>(message));
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // docs/caf-versions.md has what CAF 1.2 needs instead
  /// The handler that set_down_handler set gets a caf::down_msg when `of` ends, at once if it has ended.
  template <class Handle> void monitor(const Handle& of) { Base::monitor(of); }
  void demonitor(const caf::actor_addr& of) { Base::demonitor(of); }
  template <class Handler> void set_down_handler(Handler handler) { Base::set_down_handler(std::move(handler)); }
  /// The handler gets the caf::exit_msg that would end the actor.
  template <class Handler> void set_exit_handler(Handler handler) { Base::set_exit_handler(std::move(handler)); }
  /// Drops messages that the actor has no handler for. Otherwise CAF answers them with an error.
  void drop_unexpected() { Base::set_default_handler(caf::drop); }
#pragma GCC diagnostic pop
  template <class To> void send_exit(const To& to, caf::exit_reason reason) { Base::send_exit(to, reason); }
  template <class To> static void anon_send_exit(const To& to, caf::exit_reason reason) {
    caf::anon_send_exit(to, reason);
  }

 private:
  Base& caf_self() noexcept { return *this; } // not this class, whose calls hide those of CAF
};

/// The base class of an actor that a `Handle` refers to.
template <class Handle> using typed_base = actor_calls<typename Handle::base>;
/// The base class of an actor without a typed interface.
using untyped_base = actor_calls<caf::event_based_actor>;

/// An actor of the thread that made it, which blocks for messages.
class blocking_self {
 public:
  explicit blocking_self(caf::actor_system& system) : self_(system) {}

  template <class To, class Message> void send(const To& to, Message&& message) {
    mailing::send(*self_, to, std::forward<Message>(message));
  }
  template <class To> void send_exit(const To& to, caf::exit_reason reason) { self_->send_exit(to, reason); }
  /// `receive` gets a caf::down_msg when `of` ends.
  template <class Handle> void monitor(const Handle& of) { self_->monitor(of); }
  /// Waits for one message that one of the handlers takes; the last one may be a caf::after.
  template <class... Handlers> void receive(Handlers&&... handlers) {
    self_->receive(std::forward<Handlers>(handlers)...);
  }

 private:
  caf::scoped_actor self_;
};

template <class To> void anon_send_exit(const To& to, caf::exit_reason reason) { caf::anon_send_exit(to, reason); }

inline caf::error reason_of(const std::exception& e) {
  return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
}

/// Makes an exception that leaves a handler end the actor with an error that carries the exception's text. CAF by
/// itself drops the text.
template <class Self> void end_on_exceptions(Self* self, caf::error (*as_error)(const std::exception&) = reason_of) {
  self->set_exception_handler([as_error](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      return caf::sec::runtime_error; // there may be no memory for a text
    } catch (const std::exception& e) {
      return as_error(e);
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error, std::string{"unknown exception"});
    }
  });
}

/// The string at `position` (from 0) in an error's context; empty if there is no string.
inline std::string error_text(const caf::error& e, std::size_t position) {
  const auto& context = e.context();
  if (position >= context.size() || !context.match_element<std::string>(position)) return {};
  return context.get_as<std::string>(position);
}

} // namespace troupe::compat

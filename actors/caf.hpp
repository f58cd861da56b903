// Hides the differences between CAF versions: inspection, signatures, type registration, settings, errors.
// Written against CAF 0.17.6 (Debian 12). All other code uses only what 0.17.6 and 1.1 have in common.
#pragma once

#include "actors/trace.hpp"

#include <caf/actor_ostream.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
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

namespace troupe::compat {

/// Shows the start of an actor in the live trace, and later its end with the reason.
void trace_life(caf::local_actor& self);

/// The calls that an actor makes, in one spelling for all versions of CAF. Every actor of this project derives from
/// typed_base or untyped_base, and uses nothing but these to talk to others; CAF 1.1 deprecates its own.
template <class Base> class actor_calls : public Base {
 public:
  using Base::Base;

  /// The first thing that an actor does.
  void initialize() override {
    if (trace::is_on(trace::actors)) trace_life(*this);
    Base::initialize();
  }

  template <class To, class Message> void send(const To& to, Message&& message) {
    Base::send(to, std::forward<Message>(message));
  }
  template <class To, class Duration, class Message> void delayed_send(const To& to, Duration wait, Message&& message) {
    Base::delayed_send(to, wait, std::forward<Message>(message));
  }
  /// Returns what `then` is called on.
  template <class To, class Timeout, class... Parts> auto request(const To& to, Timeout timeout, Parts&&... message) {
    return Base::request(to, timeout, std::forward<Parts>(message)...);
  }
  /// For the end of a handler: `to` answers the request that is being handled.
  template <class To, class Message> auto delegate(const To& to, Message&& message) {
    return Base::delegate(to, std::forward<Message>(message));
  }
  /// The handler that set_down_handler set gets a caf::down_msg when `of` ends, at once if it has ended.
  template <class Handle> void monitor(const Handle& of) { Base::monitor(of); }
  void demonitor(const caf::actor_addr& of) { Base::demonitor(of); }
  template <class Handler> void set_down_handler(Handler handler) { Base::set_down_handler(std::move(handler)); }
  template <class To> void send_exit(const To& to, caf::exit_reason reason) { Base::send_exit(to, reason); }
  template <class To> static void anon_send_exit(const To& to, caf::exit_reason reason) {
    caf::anon_send_exit(to, reason);
  }
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
    self_->send(to, std::forward<Message>(message));
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

/// Sends from outside of any actor.
template <class To, class... Parts> void anon_send(const To& to, Parts&&... message) {
  caf::anon_send(to, std::forward<Parts>(message)...);
}
template <class To> void anon_send_exit(const To& to, caf::exit_reason reason) { caf::anon_send_exit(to, reason); }

/// Sets a configuration value. `key` has no prefix: "scheduler.policy".
template <class T> void set(caf::actor_system_config& config, const std::string& key, T value) {
  config.set(key, std::move(value));
}
/// Sets a configuration value that is one of a few words.
inline void set_word(caf::actor_system_config& config, const std::string& key, const std::string& word) {
  config.set(key, caf::atom_from_string(word));
}

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

/// Makes an error of this project's category that carries `context`.
template <class... Strings> caf::error own_error(std::uint8_t code, Strings... context) {
  return {code, caf::atom("troupe"), caf::make_message(std::move(context)...)};
}
/// The code of an error of this project's category; empty for any other error.
inline std::optional<std::uint8_t> error_code(const caf::error& e) {
  if (!e || e.category() != caf::atom("troupe")) return std::nullopt;
  return e.code();
}
/// The string at `position` (from 0) in an error's context; empty if there is no string.
inline std::string error_text(const caf::error& e, std::size_t position) {
  const auto& context = e.context();
  if (position >= context.size() || !context.match_element<std::string>(position)) return {};
  return context.get_as<std::string>(position);
}

} // namespace troupe::compat

// The parts of actors/caf.hpp for CAF 1.x. Included by it alone.
#pragma once

#include <caf/anon_mail.hpp>
#include <caf/default_enum_inspect.hpp>
#include <caf/is_error_code_enum.hpp>

#include <string_view>

namespace troupe::compat {

/// The category of this project's errors. The codes are those of troupe::errc.
enum class own_error_code : std::uint8_t {};
inline std::string to_string(own_error_code code) { return std::to_string(static_cast<unsigned>(code)); }
inline bool from_string(std::string_view, own_error_code&) { return false; }
inline bool from_integer(std::uint8_t raw, own_error_code& code) {
  code = static_cast<own_error_code>(raw);
  return true;
}
template <class Inspector> bool inspect(Inspector& f, own_error_code& x) { return caf::default_enum_inspect(f, x); }
template <> inline constexpr id_from id_source<own_error_code> = id_from::table;

} // namespace troupe::compat
CAF_ERROR_CODE_ENUM(troupe::compat::own_error_code)

namespace troupe::compat {

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
    this->mail(std::forward<Message>(message)).send(to);
  }
  template <class To, class Duration, class Message> void delayed_send(const To& to, Duration wait, Message&& message) {
    this->mail(std::forward<Message>(message)).delay(wait).send(to);
  }
  /// Returns what `then` is called on.
  template <class To, class Timeout, class... Parts> auto request(const To& to, Timeout timeout, Parts&&... message) {
    return this->mail(std::forward<Parts>(message)...).request(to, timeout);
  }
  /// For the end of a handler: `to` answers the request that is being handled.
  template <class To, class Message> auto delegate(const To& to, Message&& message) {
    return this->mail(std::forward<Message>(message)).delegate(to);
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
    self_->mail(std::forward<Message>(message)).send(to);
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
  caf::anon_mail(std::forward<Parts>(message)...).send(to);
}
template <class To> void anon_send_exit(const To& to, caf::exit_reason reason) { caf::anon_send_exit(to, reason); }

/// Sets a configuration value. `key` has no prefix: "scheduler.policy".
template <class T> void set(caf::actor_system_config& config, const std::string& key, T value) {
  config.set("caf." + key, std::move(value));
}
/// Sets a configuration value that is one of a few words.
inline void set_word(caf::actor_system_config& config, const std::string& key, const std::string& word) {
  config.set("caf." + key, word);
}

/// Makes an error of this project's category that carries `context`.
template <class... Strings> caf::error own_error(std::uint8_t code, Strings... context) {
  return {static_cast<own_error_code>(code), caf::make_message(std::move(context)...)};
}
/// The code of an error of this project's category; empty for any other error.
inline std::optional<std::uint8_t> error_code(const caf::error& e) {
  if (!e || e.category() != caf::type_id_v<own_error_code>) return std::nullopt;
  return e.code();
}

/// What the function `inspect` of a message returns.
template <class Inspector> using inspection = bool;

/// Presents a message to a CAF inspector as one string. `encode` returns it; `decode` takes it, and returns whether it
/// is an encoded message.
template <class Inspector, class Message, class Encode, class Decode>
bool inspect_bytes(Inspector& f, const char*, Message& x, Encode encode, Decode decode) {
  return f.object(x).fields(f.field("bytes", std::move(encode), std::move(decode)));
}

/// CAF's own text for an error.
inline std::string rendered(caf::actor_system&, const caf::error& e) { return to_string(e); }

} // namespace troupe::compat

// The parts of actors/caf.hpp for CAF 0.17.6. Included by it alone.
#pragma once

#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

namespace troupe::compat {

/// How the actor `self` sends; actor_calls has the meaning of each call.
namespace mailing {
template <class Self, class To, class Message> void send(Self& self, const To& to, Message&& message) {
  self.send(to, std::forward<Message>(message));
}
template <class Self, class To, class Duration, class Message>
void delayed_send(Self& self, const To& to, Duration wait, Message&& message) {
  self.delayed_send(to, wait, std::forward<Message>(message));
}
template <class Self, class To, class Timeout, class... Parts>
auto request(Self& self, const To& to, Timeout timeout, Parts&&... message) {
  return self.request(to, timeout, std::forward<Parts>(message)...);
}
template <class Self, class To, class Message> auto delegate(Self& self, const To& to, Message&& message) {
  return self.delegate(to, std::forward<Message>(message));
}
} // namespace mailing

/// Calls `on_end` once before the actor ends: after the handler that decided it, and before monitors and links learn of
/// it, so what the actor sends then arrives before its down_msg.
template <class Base> class end_hook : public Base {
 public:
  using Base::Base;
  void on_exit() final { on_end(); }

 protected:
  virtual void on_end() {}
};

/// Sends from outside of any actor.
template <class To, class... Parts> void anon_send(const To& to, Parts&&... message) {
  caf::anon_send(to, std::forward<Parts>(message)...);
}

/// Sets a configuration value. `key` has no prefix: "scheduler.policy".
template <class T> void set(caf::actor_system_config& config, const std::string& key, T value) {
  config.set(key, std::move(value));
}
/// Sets a configuration value that is one of a few words.
inline void set_word(caf::actor_system_config& config, const std::string& key, const std::string& word) {
  config.set(key, caf::atom_from_string(word));
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

/// What the function `inspect` of a message returns.
template <class Inspector> using inspection = typename Inspector::result_type;

/// Presents a message to a CAF inspector as one string. `encode` returns it; `decode` takes it, and returns whether it
/// is an encoded message.
template <class Inspector, class Message, class Encode, class Decode>
inspection<Inspector> inspect_bytes(Inspector& f, const char* name, Message&, Encode encode, Decode decode) {
  std::string bytes;
  if constexpr (Inspector::reads_state) bytes = encode();
  auto load = [&]() -> caf::error {
    if (decode(std::move(bytes))) return caf::none;
    return caf::make_error(caf::sec::invalid_argument, std::string{"bad bytes for "} + name);
  };
  return f(caf::meta::type_name(name), bytes, caf::meta::load_callback(load));
}

/// CAF's own text for an error.
inline std::string rendered(caf::actor_system& system, const caf::error& e) { return system.render(e); }

} // namespace troupe::compat

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

/// How the actor `self` sends; actor_calls has the meaning of each call.
namespace mailing {
template <class Self, class To, class Message> void send(Self& self, const To& to, Message&& message) {
  self.mail(std::forward<Message>(message)).send(to);
}
template <class Self, class To, class Duration, class Message>
void delayed_send(Self& self, const To& to, Duration wait, Message&& message) {
  self.mail(std::forward<Message>(message)).delay(wait).send(to);
}
template <class Self, class To, class Timeout, class... Parts>
auto request(Self& self, const To& to, Timeout timeout, Parts&&... message) {
  return self.mail(std::forward<Parts>(message)...).request(to, timeout);
}
template <class Self, class To, class Message> auto delegate(Self& self, const To& to, Message&& message) {
  return self.mail(std::forward<Message>(message)).delegate(to);
}
} // namespace mailing

/// Calls `on_end` once before the actor ends: after the handler that decided it, and before monitors and links learn of
/// it, so what the actor sends then arrives before its down_msg. CAF 1.x calls `on_exit` only after them.
template <class Base> class end_hook : public Base {
 public:
  using Base::Base;

  void quit(caf::error reason = {}) {
    quitting_ = true;
    Base::quit(std::move(reason));
    quitting_ = false;
  }
  /// CAF calls this whenever it looks whether an actor has ended, also from within `quit`.
  void run_actions() override {
    Base::run_actions();
    if (!quitting_ && !this->alive()) end();
  }
  /// For an actor whose last handle is gone.
  void on_exit() final { end(); }

 protected:
  virtual void on_end() {}

 private:
  void end() {
    if (!std::exchange(ended_, true)) on_end();
  }

  bool quitting_ = false;
  bool ended_ = false;
};

/// Sends from outside of any actor.
template <class To, class... Parts> void anon_send(const To& to, Parts&&... message) {
  caf::anon_mail(std::forward<Parts>(message)...).send(to);
}

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

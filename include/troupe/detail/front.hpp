// The front: the actor that takes the typed messages of one service. Only the message handlers depend on the service's
// types; the actor itself is compiled once, in the library.
#pragma once

#include <caf/message_handler.hpp>
#include <caf/response_promise.hpp>
#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <troupe/errors.hpp>
#include <troupe/service.hpp>
#include <troupe/service_actor.hpp>
#include <utility>

namespace troupe::detail {

enum class call_kind { command, query, stale_query };

/// What the handlers of a front need of it. Used by the front's actor alone.
class front_access {
 public:
  /// Answers the caller with the result that is encoded in `payload`; false if it cannot be decoded.
  using deliver_result = bool (*)(caf::response_promise& promise, std::string_view payload);

  /// Sends an encoded message of the service. `timeout` 0: the front's own.
  virtual caf::response_promise call(call_kind kind, std::string_view tag, std::string_view payload,
                                     std::chrono::milliseconds timeout, deliver_result deliver) = 0;
  /// Answers a message that could not be encoded.
  virtual caf::response_promise refuse(const std::exception& why) = 0;

 protected:
  ~front_access() = default;
};

template <class S> struct front_handlers {
  using codec = serializer_of_t<S>;

  template <class M> static bool deliver(caf::response_promise& promise, std::string_view payload) {
    typename M::result result{};
    if (!codec::decode(payload, result)) return false;
    promise.deliver(std::move(result));
    return true;
  }

  template <class M>
  static caf::response_promise ask(front_access& front, const M& message, call_kind kind,
                                   std::chrono::milliseconds timeout) {
    std::string payload;
    try {
      payload = codec::encode(message);
    } catch (const std::exception& e) {
      return front.refuse(e);
    }
    return front.call(kind, M::tag, payload, timeout, &deliver<M>);
  }

  template <class... Cs, class... Qs>
  static caf::message_handler make(front_access& front, types<Cs...>, types<Qs...>) {
    return {[&front](const Cs& m) { return ask(front, m, call_kind::command, {}); }...,
            [&front](const with<Cs>& m) { return ask(front, m.request, call_kind::command, m.timeout); }...,
            [&front](const Qs& m) { return ask(front, m, call_kind::query, {}); }...,
            [&front](const with<Qs>& m) {
              return ask(front, m.request, m.stale ? call_kind::stale_query : call_kind::query, m.timeout);
            }...};
  }
};

/// Makes the handlers of the messages of `S`. `front` outlives them.
template <class S> caf::message_handler make_front_handlers(front_access& front) {
  return front_handlers<S>::make(front, typename S::commands{}, typename S::queries{});
}
using front_handlers_maker = caf::message_handler (*)(front_access&);

/// Starts a front at a proxy, which is a proxy_handle. `timeout` is the deadline of a request that has none of its own.
/// It ends when the returned handle and all its copies are gone, or by an exit message.
caf::actor spawn_front(caf::actor_system& system, std::string_view service, front_handlers_maker handlers,
                       const caf::actor& proxy, std::chrono::milliseconds timeout);

} // namespace troupe::detail

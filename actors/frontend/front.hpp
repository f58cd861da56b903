// The typed door to a service: an actor that takes the service's own messages and answers with their results.
//
//   troupe::service_actor<map_service> map = ...;
//   self->request(map, caf::infinite, map::put{"users", "ada", value}).then(
//       [](const map::put_result& done) { ... },
//       [](const caf::error& e) { const auto info = troupe::describe(e); ... });
//
// A request is always answered, at the latest by its deadline, so no CAF timeout is needed. A failure is an error of
// `make_error`: `describe` tells its class (surely not done, or unknown), whether to retry, and who leads.
//
// The deadline lies between 1 ms and 5 minutes from the request: a shorter or longer timeout is taken for the nearest
// of these.
//
//   [serving] --- the proxy is gone: everything unanswered is answered with an error ---> [refusing]
//       +-------- drain_front: what is held goes to the proxy, answers still come ----------^
#pragma once

#include "actors/frontend/front_calls.hpp"
#include "actors/protocol/interfaces.hpp"
#include "services/call.hpp"
#include "services/service.hpp"

#include <chrono>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

/// A service's message with its own terms.
template <class M> struct with {
  M request;
  /// 0: the front's default. Else 1 ms if it is less, 5 minutes if it is more.
  std::chrono::milliseconds timeout{0};
  /// For queries: answer from the state of the asked node, which may lag behind. Commands ignore it.
  bool stale = false;
};

namespace services::detail {

template <class S, class Commands, class Queries> struct front_types;
template <class S, class... Cs, class... Qs> struct front_types<S, types<Cs...>, types<Qs...>> {
  using handle = compat::handle<typename Cs::result(Cs)..., typename Cs::result(with<Cs>)...,
                                typename Qs::result(Qs)..., typename Qs::result(with<Qs>)...>;
  using inner =
      compat::handle<typename Cs::result(Cs)..., typename Cs::result(with<Cs>)..., typename Qs::result(Qs)...,
                     typename Qs::result(with<Qs>)..., void(outcome_batch), front_drained(drain_front), void(flush)>;
};
template <class S> using front_types_of = front_types<S, typename S::commands, typename S::queries>;

} // namespace services::detail

/// The handle of a service: takes each command and query of `S`, plain or in a `with`, and answers with its `result`.
template <class S> using service_actor = typename services::detail::front_types_of<S>::handle;

struct front_options {
  /// How long a request may take if it does not say so itself: 1 ms to 5 minutes.
  std::chrono::milliseconds timeout{5'000};
};

namespace services {

template <state_machine S> class front : public detail::front_types_of<S>::inner::base {
  using base = typename detail::front_types_of<S>::inner::base;

 public:
  using behavior_type = typename base::behavior_type;

  front(caf::actor_config& config, proxy_handle proxy, front_options options)
      : base(config), proxy_(std::move(proxy)), options_(options) {
    this->set_down_handler([this](const caf::down_msg& down) {
      proxy_ = nullptr;
      calls_.abandon("the proxy ended", compat::is_orderly(down.reason));
    });
    this->monitor(proxy_);
  }

  behavior_type make_behavior() override { return clauses(typename S::commands{}, typename S::queries{}); }
  const char* name() const override { return "front"; }
  void on_exit() override {
    calls_.abandon("the service's front ended", false);
    proxy_ = nullptr;
  }

 private:
  template <class... Cs, class... Qs> behavior_type clauses(types<Cs...>, types<Qs...>) {
    return {
        [this](const Cs& m) { return ask(m, access::write, options_.timeout); }...,
        [this](const with<Cs>& m) { return ask(m.request, access::write, timeout_of(m)); }...,
        [this](const Qs& m) { return ask(m, access::linearizable_read, options_.timeout); }...,
        [this](const with<Qs>& m) {
          return ask(m.request, m.stale ? access::stale_read : access::linearizable_read, timeout_of(m));
        }...,
        [this](outcome_batch& answers) { calls_.settle(answers); },
        [this](const drain_front&) {
          hand_on();
          draining_ = true;
          return front_drained{};
        },
        [this](const flush&) { hand_on(); },
    };
  }

  void hand_on() {
    if (proxy_ && calls_.has_batch()) this->send(proxy_, calls_.take_batch());
  }

  template <class M> std::chrono::milliseconds timeout_of(const with<M>& m) const {
    return m.timeout.count() == 0 ? options_.timeout : m.timeout;
  }

  template <class M>
  caf::result<typename M::result> ask(const M& message, access how, std::chrono::milliseconds timeout) {
    if (!proxy_) return make_error({errc::stopping, "the proxy ended", {}, {}});
    if (draining_) return make_error({errc::stopping, "this process is shutting down", {}, {}});
    std::string envelope;
    try {
      envelope = encode_call<S>(message);
    } catch (const std::exception& e) { // of the user's making, and the trouble of this caller alone
      return make_error({errc::undecodable, std::string{"the request cannot be encoded: "} + e.what(), {}, {}});
    }
    auto promise = this->template make_response_promise<typename M::result>();
    calls_.add(promise, &deliver<M>, how, timeout, std::move(envelope));
    if (calls_.starts_batch()) this->send(typename detail::front_types_of<S>::inner{this}, flush{});
    return promise;
  }

  template <class M> static void deliver(caf::response_promise& promise, command_outcome&& outcome) {
    auto result = decode_result<S, M>(reply{reply_status::ok, std::move(outcome.payload)});
    if (result) return promise.deliver(std::move(*result));
    // A command was carried out all the same.
    const auto code = command_of<M, S> ? errc::outcome_unknown : errc::undecodable;
    promise.deliver(make_error({code, "the result is none that this version of the service knows", {}, {}}));
  }

  proxy_handle proxy_;
  front_options options_;
  front_calls calls_;
  bool draining_ = false;
};

} // namespace services

/// Starts the front of `S` at a proxy; ends when the returned handle and all its copies are gone, or by an exit
/// message.
template <services::state_machine S>
service_actor<S> spawn_front(caf::actor_system& system, const proxy_handle& proxy, front_options options = {}) {
  return system.spawn<services::front<S>>(proxy, options);
}

} // namespace troupe

// Messages and results of services stay inside their process: CAF needs no way to serialize them.
template <class T>
requires troupe::services::has_fields<T> || troupe::services::detail::message<T>
struct caf::allowed_unsafe_message_type<T> : std::true_type {
};
template <class M> struct caf::allowed_unsafe_message_type<troupe::with<M>> : std::true_type {};

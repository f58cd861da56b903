// The front of a service.
//
//   [serving] --- the proxy ended: every unanswered request is answered with an error ---> [rejecting]
//       +-------- drain_front: held calls go to the proxy, and answers still arrive ---------^
#include "actors/frontend/front_calls.hpp"
#include "services/command.hpp"

#include <troupe/detail/front.hpp>

namespace troupe::detail {
namespace {

access access_of(call_kind kind) {
  switch (kind) {
  case call_kind::command:
    return access::write;
  case call_kind::query:
    return access::linearizable_read;
  case call_kind::stale_query:
    return access::stale_read;
  }
  return access::linearizable_read;
}

class front final : public compat::untyped_base, public front_access {
 public:
  front(caf::actor_config& config, std::string service, front_handlers_maker handlers, proxy_handle proxy,
        std::chrono::milliseconds timeout)
      : compat::untyped_base(config), service_(std::move(service)), handlers_(handlers), proxy_(std::move(proxy)),
        timeout_(timeout) {
    set_down_handler([this](const caf::down_msg& down) {
      proxy_ = nullptr;
      calls_.abandon("the proxy ended", is_orderly(down.reason));
    });
    monitor(proxy_);
  }

  caf::behavior make_behavior() override {
    const caf::message_handler internal{
        [this](outcome_batch& answers) { calls_.settle(answers); },
        [this](const flush&) { send_batch(); },
        [this](const drain_front&) {
          send_batch();
          draining_ = true;
          return front_drained{};
        },
    };
    return handlers_(*this).or_else(internal);
  }
  const char* name() const override { return "front"; }
  void on_end() override {
    calls_.abandon("the service's front ended", false);
    proxy_ = nullptr;
  }

  caf::response_promise call(call_kind kind, std::string_view tag, std::string_view payload,
                             std::chrono::milliseconds timeout, deliver_result deliver) override {
    if (!proxy_) return answered({errc::stopping, "the proxy ended", {}, {}});
    if (draining_) return answered({errc::stopping, "this process is shutting down", {}, {}});
    std::string envelope;
    try {
      envelope = services::encode_command(service_, tag, payload);
    } catch (const std::exception& e) {
      return refuse(e);
    }
    auto promise = make_response_promise();
    calls_.add(promise, deliver, access_of(kind), timeout.count() == 0 ? timeout_ : timeout, std::move(envelope));
    if (calls_.starts_batch()) send(this, flush{});
    return promise;
  }

  caf::response_promise refuse(const std::exception& why) override {
    return answered({errc::undecodable, std::string{"the request cannot be encoded: "} + why.what(), {}, {}});
  }

 private:
  caf::response_promise answered(const error_info& why) {
    auto promise = make_response_promise();
    promise.deliver(make_error(why));
    return promise;
  }

  void send_batch() {
    if (proxy_ && calls_.has_batch()) send(proxy_, calls_.take_batch());
  }

  const std::string service_;
  const front_handlers_maker handlers_;
  proxy_handle proxy_;
  const std::chrono::milliseconds timeout_;
  front_calls calls_;
  bool draining_ = false;
};

} // namespace

caf::actor spawn_front(caf::actor_system& system, std::string_view service, front_handlers_maker handlers,
                       const caf::actor& proxy, std::chrono::milliseconds timeout) {
  return system.spawn<front>(std::string{service}, handlers, caf::actor_cast<proxy_handle>(proxy), timeout);
}

} // namespace troupe::detail

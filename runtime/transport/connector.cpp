#include "runtime/transport/connector.hpp"

#include "runtime/transport/guarded_scribe.hpp"

#include <utility>

namespace troupe {
namespace {

/// It ends with its connector, while it dials perhaps, and must then be referred to by nobody: the actor system waits
/// for its thread. So it is the connector that speaks with CAF's broker.
class dialer : public dialer_handle::base {
 public:
  dialer(caf::actor_config& config, std::string host, std::uint16_t port, std::shared_ptr<net::transport> transport)
      : dialer_handle::base(config), host_(std::move(host)), port_(port), transport_(std::move(transport)) {}
  behavior_type make_behavior() override {
    return {[this](const dial&) -> caf::result<opened> {
      try {
        return opened{
            net::make_scribe(system(), transport_->dial(host_, port_), transport_->options().max_unsent_bytes)};
      } catch (const std::exception& e) {
        return caf::make_error(caf::sec::cannot_connect_to_node, std::string{e.what()});
      }
    }};
  }
  const char* name() const override { return "dialer"; }

 private:
  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<net::transport> transport_;
};

/// Not as a timeout: whoever asked would think that the connector hangs, and make another one, with another thread.
caf::error too_late() { return caf::make_error(caf::sec::cannot_connect_to_node, std::string{"it takes too long"}); }

} // namespace

connector::connector(caf::actor_config& config, std::string host, std::uint16_t port,
                     std::shared_ptr<net::transport> transport, std::chrono::milliseconds patience)
    : connector_handle::base(config), host_(std::move(host)), port_(port), transport_(std::move(transport)),
      patience_(patience) {
  set_down_handler([this](const caf::down_msg& m) {
    if (known_ && m.source == known_.address())
      known_ = nullptr;
    else
      hung_ = false;
  });
}

connector_handle::behavior_type connector::make_behavior() {
  return {
      [this](const dial&) { return connect(); },
      [this](const hang_up& m) {
        transport_->hang_up(compat::encoded(system(), m.endpoint.node()),
                            host_ + ":" + std::to_string(port_) + " is connected, but its endpoint does not answer");
      },
  };
}

void connector::on_exit() {
  if (dialer_) anon_send_exit(dialer_, caf::exit_reason::kill);
  dialer_ = nullptr;
  known_ = nullptr;
}

caf::result<dialed> connector::connect() {
  if (known_) return dialed{known_};
  // One thread per address at most, however slowly its name resolves.
  if (hung_) return caf::make_error(caf::sec::cannot_connect_to_node, "the last attempt has not ended yet");
  if (!dialer_) dialer_ = system().spawn<dialer, caf::detached + caf::hidden>(host_, port_, transport_);
  auto answer = make_response_promise<dialed>();
  const auto time = transport_->options().dial_deadline + patience_;
  request(dialer_, time, dial{})
      .then([this, answer,
             deadline = clock().now() + time](const opened& found) { shake_hands(found.scribe, deadline, answer); },
            [this, answer](const caf::error& e) mutable {
              if (e != caf::sec::request_timeout || !dialer_) {
                answer.deliver(e);
                return;
              }
              hung_ = true;
              monitor(dialer_);
              anon_send_exit(dialer_, caf::exit_reason::kill);
              dialer_ = nullptr;
              answer.deliver(too_late());
            });
  return answer;
}

void connector::shake_hands(caf::io::scribe_ptr through, caf::actor_clock::time_point deadline, promise answer) {
  compat::request_handshake(
      this, compat::basp_broker(system()), deadline - clock().now(), std::move(through), port_,
      [this, answer](caf::strong_actor_ptr found) mutable {
        if (!found) {
          answer.deliver(caf::make_error(caf::sec::no_actor_published_at_port, "nothing is published there"));
          return;
        }
        known_ = caf::actor_cast<endpoint_handle>(std::move(found));
        monitor(known_);
        answer.deliver(dialed{known_});
      },
      [answer](const caf::error& e) mutable { answer.deliver(e == caf::sec::request_timeout ? too_late() : e); });
}

} // namespace troupe

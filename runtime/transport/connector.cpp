#include "runtime/transport/connector.hpp"

#include "runtime/transport/guarded_scribe.hpp"

#include <utility>

namespace troupe {
namespace {

/// CAF's middleman actor with the transport's `connect`. Blocks its thread, which is its own.
class dialer : public caf::io::middleman_actor_impl {
 public:
  dialer(caf::actor_config& config, caf::actor broker, std::shared_ptr<net::transport> transport)
      : middleman_actor_impl(config, std::move(broker)), transport_(std::move(transport)) {}
  const char* name() const override { return "dialer"; }

 protected:
  caf::expected<caf::io::scribe_ptr> connect(const std::string& host, std::uint16_t port) override {
    try {
      return net::make_scribe(system(), transport_->dial(host, port), transport_->options().max_unsent_bytes);
    } catch (const std::exception& e) {
      return caf::make_error(caf::sec::cannot_connect_to_node, std::string{e.what()});
    }
  }

 private:
  std::shared_ptr<net::transport> transport_;
};

} // namespace

connector::connector(caf::actor_config& config, std::string host, std::uint16_t port,
                     std::shared_ptr<net::transport> transport, std::chrono::milliseconds patience)
    : connector_handle::base(config), host_(std::move(host)), port_(port), transport_(std::move(transport)),
      patience_(patience) {
  set_down_handler([this](const caf::down_msg&) { hung_ = false; });
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
  // Kill, as CAF's middleman actor ignores every other reason.
  if (dialer_) anon_send_exit(*dialer_, caf::exit_reason::kill);
  dialer_.reset();
}

caf::result<dialed> connector::connect() {
  // One thread per address at most, however slowly its name resolves.
  if (hung_) return caf::make_error(caf::sec::cannot_connect_to_node, "the last attempt has not ended yet");
  if (!dialer_)
    dialer_ = caf::actor_cast<compat::middleman_actor>(
        system().spawn<dialer, caf::detached + caf::hidden>(compat::basp_broker(system()), transport_));
  auto promise = make_response_promise<dialed>();
  compat::request_connect(
      this, *dialer_, transport_->options().dial_deadline + patience_, host_, port_,
      [promise](caf::strong_actor_ptr found) mutable {
        if (found)
          promise.deliver(dialed{caf::actor_cast<endpoint_handle>(std::move(found))});
        else
          promise.deliver(caf::make_error(caf::sec::no_actor_published_at_port, "nothing is published there"));
      },
      [this, promise](const caf::error& e) mutable {
        if (e != caf::sec::request_timeout || !dialer_) {
          promise.deliver(e);
          return;
        }
        hung_ = true;
        monitor(*dialer_);
        anon_send_exit(*dialer_, caf::exit_reason::kill);
        dialer_.reset();
        // Not as a timeout: whoever asked would think that this actor hangs, and make another one, with another thread.
        promise.deliver(caf::make_error(caf::sec::cannot_connect_to_node, std::string{"it takes too long"}));
      });
  return promise;
}

} // namespace troupe

#include "runtime/transport/connector.hpp"

#include "runtime/transport/guarded_scribe.hpp"

#include <set>
#include <utility>

namespace troupe {

connector::connector(caf::actor_config& config, std::string host, std::uint16_t port,
                     std::shared_ptr<net::transport> transport, std::chrono::milliseconds patience)
    : connector_self::base(config), host_(std::move(host)), port_(port), transport_(std::move(transport)),
      patience_(patience) {
  set_down_handler([this](const caf::down_msg& m) {
    if (found_ && m.source == found_.address()) found_ = nullptr;
  });
}

connector_self::behavior_type connector::make_behavior() {
  return {
      [this](const dial&) { return connect(); },
      [this](const hang_up& m) {
        transport_->hang_up(compat::encoded(system(), m.endpoint.node()),
                            host_ + ":" + std::to_string(port_) + " is connected, but its endpoint does not answer");
      },
      [this](const connection_made& m) {
        // This actor alone has it: a connection that is not taken here closes with the message.
        if (m.outcome->made)
          shake_hands(std::move(*m.outcome->made));
        else
          fail(caf::make_error(caf::sec::cannot_connect_to_node, m.outcome->problem));
      },
  };
}

void connector::on_exit() {
  waiting_.clear();
  found_ = nullptr;
  transport_ = nullptr; // a handle to this actor, wherever it is, does not need it
}

caf::result<dialed> connector::connect() {
  // A connection that is there is not made again: its node may have refused the link, and is asked again.
  if (found_) return dialed{found_};
  const auto promise = make_response_promise<dialed>();
  waiting_.push_back(promise);
  if (waiting_.size() > 1) return promise;
  // Not a strong reference: what is dialed must not keep alive who does not want it any more.
  transport_->dial(host_, port_, was_there_, [to = address()](net::transport::dialed_connection outcome) {
    if (const auto self = caf::actor_cast<connector_self>(to))
      caf::anon_send(self, connection_made{std::make_shared<net::transport::dialed_connection>(std::move(outcome))});
  });
  return promise;
}

/// As CAF's middleman actor does it. A connection whose other end does not introduce itself is cut by the transport.
void connector::shake_hands(net::open_connection connection) {
  was_there_ = true;
  compat::request_handshake(
      this, patience_, net::make_scribe(system(), std::move(connection), transport_->options().max_unsent_bytes), port_,
      [this](const caf::strong_actor_ptr& found) { succeed(found); }, [this](const caf::error& e) { fail(e); });
}

void connector::succeed(const caf::strong_actor_ptr& found) {
  if (!found) return fail(caf::make_error(caf::sec::no_actor_published_at_port, "no actor is published there"));
  found_ = caf::actor_cast<endpoint_handle>(found);
  // Comes back at once if the connection is gone already.
  monitor(found_);
  for (auto& promise : std::exchange(waiting_, {})) promise.deliver(dialed{found_});
}

void connector::fail(const caf::error& why) {
  // Not as a timeout: the requester would think that this actor hangs.
  const auto told = why == caf::sec::request_timeout
                        ? caf::make_error(caf::sec::cannot_connect_to_node, "the handshake timed out")
                        : why;
  for (auto& promise : std::exchange(waiting_, {})) promise.deliver(told);
}

} // namespace troupe

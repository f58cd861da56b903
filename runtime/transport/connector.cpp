#include "runtime/transport/connector.hpp"

#include "runtime/transport/guarded_scribe.hpp"

#include <set>
#include <utility>

namespace troupe {

connector::connector(caf::actor_config& config, std::string host, std::uint16_t port,
                     std::shared_ptr<net::transport> transport, std::chrono::milliseconds patience)
    : compat::typed_base<connector_self>(config), host_(std::move(host)), port_(port), transport_(std::move(transport)),
      patience_(patience) {
  set_down_handler([this](const caf::down_msg& m) {
    if (found_ && m.source == found_.address()) found_ = nullptr;
  });
}

connector_self::behavior_type connector::make_behavior() {
  return {
      [this](const dial&) { return connect(); },
      [this](const disconnect& m) {
        transport_->disconnect(compat::encoded(system(), m.endpoint.node()),
                               host_ + ":" + std::to_string(port_) + " is connected, but its endpoint does not answer");
      },
      [this](const connection_made& m) {
        // Only this actor owns the connection. If it does not take it here, the connection closes with the message.
        if (m.outcome->made)
          shake_hands(std::move(*m.outcome->made));
        else
          fail(caf::make_error(caf::sec::cannot_connect_to_node, m.outcome->problem));
      },
  };
}

void connector::on_end() {
  waiting_.clear();
  found_ = nullptr;
  transport_ = nullptr; // remaining handles to this actor must not keep the transport alive
}

caf::result<dialed> connector::connect() {
  // Reuse an existing connection. Its node may have refused the link before, and the caller asks it again.
  if (found_) return dialed{found_};
  const auto promise = make_response_promise<dialed>();
  waiting_.push_back(promise);
  if (waiting_.size() > 1) return promise;
  // Not a strong reference: a pending dial must not keep alive a connector that is no longer used.
  transport_->dial(host_, port_, connected_before_, [to = address()](net::transport::dialed_connection outcome) {
    if (const auto self = caf::actor_cast<connector_self>(to))
      compat::anon_send(self, connection_made{std::make_shared<net::transport::dialed_connection>(std::move(outcome))});
  });
  return promise;
}

/// Does what CAF's middleman actor does. The transport cuts a connection whose other end does not introduce itself.
void connector::shake_hands(net::open_connection connection) {
  connected_before_ = true;
  compat::request_handshake(
      this, patience_, net::make_scribe(system(), std::move(connection), transport_->options().max_unsent_bytes), port_,
      [this](const caf::strong_actor_ptr& found) { succeed(found); }, [this](const caf::error& e) { fail(e); });
}

void connector::succeed(const caf::strong_actor_ptr& found) {
  if (!found) return fail(caf::make_error(caf::sec::no_actor_published_at_port, "no actor is published there"));
  found_ = caf::actor_cast<endpoint_handle>(found);
  // The down message arrives at once if the connection has already ended.
  monitor(found_);
  for (auto& promise : std::exchange(waiting_, {})) promise.deliver(dialed{found_});
}

void connector::fail(const caf::error& why) {
  // Do not report a timeout: the origin would conclude that this actor hangs.
  const auto reported = why == caf::sec::request_timeout
                            ? caf::make_error(caf::sec::cannot_connect_to_node, "the handshake timed out")
                            : why;
  for (auto& promise : std::exchange(waiting_, {})) promise.deliver(reported);
}

} // namespace troupe

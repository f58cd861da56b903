// Connects to one address over the transport, then lets CAF's broker perform its handshake on the connection.
//
//   [ready] -- dial --> [dialing] -- connected --> [shaking hands] -- found --> [found], answers at once
//      ^                    | failed                    | failed, or too late        |
//      +--------------------+---------------------------+--------- found actor ends -+
//
// CAF dials through one shared actor that blocks: one unreachable address would delay all peers for tens of seconds,
// and a name that does not resolve would delay them even longer. The transport dials without blocking, and without a
// thread per address.
#pragma once

#include "actors/caf_io.hpp"
#include "actors/protocol/interfaces.hpp"
#include "runtime/transport/transport.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The outcome of a dial. Held by pointer because messages are copyable and connections are not.
struct connection_made {
  std::shared_ptr<net::transport::dialed_connection> outcome;
};
using connector_self = compat::handle<dialed(dial), void(disconnect), void(connection_made)>;

class connector : public compat::typed_base<connector_self> {
 public:
  /// Time limit for CAF's own handshake.
  static constexpr std::chrono::milliseconds default_patience{3000};

  connector(caf::actor_config& config, std::string host, std::uint16_t port, std::shared_ptr<net::transport> transport,
            std::chrono::milliseconds patience = default_patience);
  behavior_type make_behavior() override;
  const char* name() const override { return "connector"; }
  void on_end() override;

 private:
  caf::result<dialed> connect();
  void shake_hands(net::open_connection connection);
  void succeed(const caf::strong_actor_ptr& found);
  void fail(const caf::error& why);

  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<net::transport> transport_;
  std::chrono::milliseconds patience_;
  /// Requests that wait for the current dial.
  std::vector<caf::typed_response_promise<dialed>> waiting_;
  /// The actor that the last dial found. Null when its connection ends.
  endpoint_handle found_;
  bool connected_before_ = false;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::connection_made);

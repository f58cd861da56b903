// Connects to one address over the transport, and has CAF's broker shake hands there.
//
//   [ready] -- dial --> [dialing] -- connected --> [shaking hands] -- found --> [found], answers at once
//      ^                    | failed                    | failed, or too late        |
//      +--------------------+---------------------------+------ what was found ends -+
//
// CAF dials through one shared actor that blocks, so one black hole would hold up all peers for tens of seconds (and a
// name that does not resolve, for longer). The transport dials without blocking, and without a thread for each address.
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

/// What the transport says of a dial. Kept by pointer, as messages are copied and connections are not.
struct connection_made {
  std::shared_ptr<net::transport::dialed_connection> outcome;
};
using connector_self = compat::handle<dialed(dial), void(hang_up), void(connection_made)>;

class connector : public connector_self::base {
 public:
  /// What CAF's own handshake may take.
  static constexpr std::chrono::milliseconds default_patience{3000};

  connector(caf::actor_config& config, std::string host, std::uint16_t port, std::shared_ptr<net::transport> transport,
            std::chrono::milliseconds patience = default_patience);
  behavior_type make_behavior() override;
  const char* name() const override { return "connector"; }
  void on_exit() override;

 private:
  caf::result<dialed> connect();
  void shake_hands(net::open_connection connection);
  void succeed(const caf::strong_actor_ptr& found);
  void fail(const caf::error& why);

  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<net::transport> transport_;
  std::chrono::milliseconds patience_;
  /// Requests that wait for the dial that is going on.
  std::vector<caf::typed_response_promise<dialed>> waiting_;
  /// What was found last, as long as it is connected.
  endpoint_handle found_;
  bool was_there_ = false;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::connection_made);

// Connects to one address over the transport, on a thread of its own.
//
//   [ready] -- dial --> [dialing] -- open --> [shaking hands] -- found, failed or too late --> [ready]
//                           |  failed: [ready]
//                           |  too late
//                           v
//                       [hung]  -- the dialer's thread has come back and is gone --> [ready]
//
// CAF dials through one shared actor, so one black hole would hold up all peers for tens of seconds (and a name that
// does not resolve, for longer).
#pragma once

#include "actors/caf_io.hpp"
#include "actors/interfaces.hpp"
#include "runtime/transport/transport.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

/// A connection that is open, and of which CAF knows nothing yet.
struct opened {
  caf::io::scribe_ptr scribe;
};
/// Takes as long as opening one takes, on its own thread.
using dialer_handle = compat::handle<opened(dial)>;

class connector : public connector_handle::base {
 public:
  /// What resolving the name and CAF's own handshake may take, beyond the transport's deadline.
  static constexpr std::chrono::milliseconds default_patience{3000};

  connector(caf::actor_config& config, std::string host, std::uint16_t port, std::shared_ptr<net::transport> transport,
            std::chrono::milliseconds patience = default_patience);
  behavior_type make_behavior() override;
  const char* name() const override { return "connector"; }
  void on_exit() override;

 private:
  using promise = caf::typed_response_promise<dialed>;

  caf::result<dialed> connect();
  void shake_hands(caf::io::scribe_ptr through, caf::actor_clock::time_point deadline, promise answer);

  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<net::transport> transport_;
  std::chrono::milliseconds patience_;
  dialer_handle dialer_;
  /// What was found last, as long as it lives: one connection is enough.
  endpoint_handle known_;
  bool hung_ = false;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::opened);

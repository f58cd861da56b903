// Connects to one address over the transport, on a thread of its own.
//
//   [ready] -- dial --> [dialing] -- found, or failed in time --> [ready]
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
#include <optional>
#include <string>

namespace troupe {

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
  caf::result<dialed> connect();

  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<net::transport> transport_;
  std::chrono::milliseconds patience_;
  std::optional<compat::middleman_actor> dialer_;
  bool hung_ = false;
};

} // namespace troupe

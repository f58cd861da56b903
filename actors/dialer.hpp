// Connects to one address over BASP, with deadlines of its own and on a thread of its own.
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

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

struct dial_options {
  /// For the connection and the first bytes of the other side, all addresses of a name together.
  std::chrono::milliseconds deadline{1000};
  /// For what CAF does then, and for resolving the name.
  std::chrono::milliseconds patience{3000};
};

class connector : public connector_handle::base {
 public:
  connector(caf::actor_config& config, std::string host, std::uint16_t port, dial_options options = {});
  behavior_type make_behavior() override;
  const char* name() const override { return "connector"; }
  void on_exit() override;

 private:
  caf::result<dialed> connect();

  std::string host_;
  std::uint16_t port_;
  dial_options options_;
  std::optional<compat::middleman_actor> dialer_;
  bool hung_ = false;
};

} // namespace troupe

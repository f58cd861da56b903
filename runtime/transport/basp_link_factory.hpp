// Links between real processes: CAF's own protocol (BASP) over TCP.
#pragma once

#include "actors/dialer.hpp"
#include "actors/link_factory.hpp"

namespace troupe {

class basp_link_factory : public link_factory {
 public:
  explicit basp_link_factory(dial_options options = {}) : options_(options) {}
  /// The system must have loaded caf::io::middleman. An address that cannot be read makes a connector that always
  /// fails.
  connector_handle make_connector(caf::actor_system& system, const std::string& address) override;

 private:
  dial_options options_;
};

} // namespace troupe

#include "runtime/transport/basp_link_factory.hpp"

#include "discovery/host_port.hpp"

#include <utility>

namespace troupe {
namespace {

class failing_connector : public connector_handle::base {
 public:
  failing_connector(caf::actor_config& config, std::string why)
      : connector_handle::base(config), why_(std::move(why)) {}
  behavior_type make_behavior() override {
    return {
        [this](const dial&) -> caf::result<dialed> { return caf::make_error(caf::sec::cannot_connect_to_node, why_); }};
  }
  const char* name() const override { return "failing_connector"; }

 private:
  std::string why_;
};

} // namespace

connector_handle basp_link_factory::make_connector(caf::actor_system& system, const std::string& address) {
  try {
    auto where = parse_host_port(address);
    return system.spawn<connector>(std::move(where.host), where.port, options_);
  } catch (const bad_address& e) {
    return system.spawn<failing_connector>(e.what());
  }
}

} // namespace troupe

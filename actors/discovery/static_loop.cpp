#include "actors/discovery/static_loop.hpp"

#include "actors/protocol/interfaces.hpp"

#include <utility>

namespace troupe {
namespace {

class static_loop : public compat::typed_base<discovery_handle> {
 public:
  static_loop(caf::actor_config& config, peers_changed view, peers_listener listener)
      : compat::typed_base<discovery_handle>(config), view_(std::move(view)), listener_(std::move(listener)) {}

  behavior_type make_behavior() override {
    send(listener_, view_);
    return {[this](const report_peers&) { send(listener_, view_); }};
  }
  const char* name() const override { return "static_discovery"; }
  void on_end() override { listener_ = nullptr; }

 private:
  peers_changed view_;
  peers_listener listener_;
};

} // namespace

static_source::static_source(const static_list& list) {
  for (const auto& address : list.addresses) addresses_.push_back(to_string(address));
}

discovery_handle static_source::spawn(caf::actor_system& system, peers_listener listener) {
  return system.spawn<static_loop>(peers_changed{name(), addresses_}, std::move(listener));
}

} // namespace troupe

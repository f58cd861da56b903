// A client's link to one address. It dials the address, sends a hello, repeats the hello while the node serves this
// client, and retries when the connection is lost.
//
//             dialed               welcome
//   [dialing] ------> [greeting] ----------> [up] --- repeats its hello, monitors the endpoint
//       ^  error          |  refused, timeout  |  DOWN, timeout, a different node, refused
//       |                 v                    v
//       +-- timer --- [waiting] <--------------+      (50 ms to 1 s, doubled with every failure, jittered)
#pragma once

#include "actors/cluster/line.hpp"
#include "actors/protocol/interfaces.hpp"

#include <optional>
#include <string>

namespace troupe {

/// State of a client's link; sent on every change, and with every answer while the link is up.
struct client_link_report {
  std::string address;
  /// Set while the node behind the address serves this client.
  std::optional<client_welcome> welcome;
  endpoint_handle endpoint;
  /// Why the node does not serve this client.
  std::string problem;
};
using client_link_listener = compat::handle<void(client_link_report)>;
using client_link_handle = compat::handle<void(timer)>;

class client_link : public compat::typed_base<client_link_handle> {
 public:
  client_link(caf::actor_config& config, std::string address, link_factory_ptr factory, std::uint64_t seed,
              client_link_listener owner);
  behavior_type make_behavior() override;
  const char* name() const override { return "client_link"; }
  void on_exit() override;

 private:
  enum class phase { dialing, greeting, up, waiting };

  void start_dialing();
  void greet();
  void answered(const client_welcome& answer);
  void lost(const std::string& problem);

  line line_;
  client_link_listener owner_;
  node_id node_;
  phase phase_ = phase::dialing;
};

} // namespace troupe

TROUPE_LOCAL_MESSAGE(troupe::client_link_report);

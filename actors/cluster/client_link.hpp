// A client's link to one address. It dials the address, sends a hello, repeats the hello while the node serves this
// client, and retries when the connection is lost.
//
//   The states of link_state.hpp. One timeout loses a link that is up, and so does the answer of a different node.
#pragma once

#include "actors/cluster/dialing_link.hpp"
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
  void on_end() override;

  // For dialing_link.
  using answer = client_welcome;
  client_hello question() const { return {}; }
  link_judgement judge(const client_welcome& given);
  void report(link_report::status status, const std::string& problem);

 private:
  dialing_link<client_link> link_;
  client_link_listener owner_;
  /// The node's last answer.
  client_welcome welcome_;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::client_link_report);

// Keeps a link to one address: finds the endpoint there, shakes hands, and retries when the link is lost.
//
//   The states of link_state.hpp. Two timeouts in a row lose a link that is up. Pauses grow up to 30 s until the first
//   successful handshake there, and end when a node there dials this one.
//   The answer has this node's own id and incarnation: [ended].
#pragma once

#include "actors/cluster/dialing_link.hpp"
#include "actors/protocol/interfaces.hpp"

#include <string>

namespace troupe {

class peer_link : public compat::typed_base<peer_link_handle> {
 public:
  /// Reports to `links`, which owns this actor. `self` is this node's part of the handshake.
  peer_link(caf::actor_config& config, std::string address, hello self, link_factory_ptr factory, std::uint64_t seed,
            links_handle links);
  behavior_type make_behavior() override;
  const char* name() const override { return "peer_link"; }
  void on_end() override;

  // For dialing_link.
  using answer = hello;
  const hello& question() const noexcept { return self_; }
  link_judgement judge(const hello& given);
  void report(link_report::status status, const std::string& problem);

 private:
  std::string objection(const hello& given) const;

  dialing_link<peer_link> link_;
  hello self_;
  links_handle links_;
  /// The peer's last answer.
  hello peer_;
};

/// Why `self` refuses a link to `peer`, whichever of them dialed; empty if it accepts.
std::string objection_to(const hello& peer, const hello& self);
/// True if the address has bounded length and only printable characters, so that it can be logged. It may still be
/// impossible to dial.
bool plausible_address(const std::string& address);
/// Converts a peer's hello to the form that the rules of raft/ use.
raft::sighted_peer sighted(const hello& peer);

} // namespace troupe

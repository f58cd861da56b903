// Keeps a link to one address: finds the endpoint there, shakes hands, and retries when the link is lost.
//
//             dialed               answered                                            own incarnation
//   [dialing] ------> [greeting] ------------> [up] --- repeats its hello, monitors      -------> [self]
//       ^  error          |  refused, timeout     |  DOWN, two timeouts, refused         (from greeting; final)
//       |                 v                       v
//       +-- timer, dial --- [waiting] <-----------+      (50 ms to 1 s, doubled with every failure, jittered; up to
//                                                         30 s until the first successful handshake there)
#pragma once

#include "actors/cluster/line.hpp"
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
  void on_exit() override;

 private:
  enum class phase { dialing, greeting, up, waiting, self };

  void start_dialing();
  void redial_now();
  void greet();
  void answered(const hello& answer);
  void unanswered(const std::string& problem);
  void lost(const std::string& problem, link_report::status status = link_report::status::down);
  void report(link_report::status status, const std::string& problem = {});
  void reset();
  std::string objection(const hello& answer) const;

  line line_;
  hello self_;
  links_handle links_;
  /// The peer's last answer.
  hello peer_;
  phase phase_ = phase::dialing;
  raft::time_point dialed_at_;
  bool asking_ = false;
  /// This node's identity changed while a hello was outstanding.
  bool ask_again_ = false;
  unsigned silences_ = 0;
};

/// Why `self` refuses a link to `peer`, whichever of them dialed; empty if it accepts.
std::string objection_to(const hello& peer, const hello& self);
/// True if the address has bounded length and only printable characters, so that it can be logged. It may still be
/// impossible to dial.
bool plausible_address(const std::string& address);
/// Converts a peer's hello to the form that the rules of raft/ use.
raft::sighted_peer sighted(const hello& peer);

} // namespace troupe

// Keeps one address dialed: finds the endpoint behind it, shakes hands, and starts over when it is lost.
//
//             dialed               answered                                               own incarnation
//   [dialing] ------> [greeting] ------------> [up] --- repeats its hello, watches          -------> [self]
//       ^  error          |  refused, silent      |  DOWN, twice silent, another node there  (from greeting; rests)
//       |                 v                       v
//       +-- timer, dial --- [waiting] <-----------+      (50 ms to 1 s, doubled with every failure, jittered; to 30 s
//                                                         as long as nobody has ever answered well there)
#pragma once

#include "actors/cluster/line.hpp"
#include "actors/protocol/interfaces.hpp"

#include <string>

namespace troupe {

class peer_link : public peer_link_handle::base {
 public:
  /// Reports to `links`, which owns it. `self` is what it says about this node.
  peer_link(caf::actor_config& config, std::string address, hello self, link_factory_ptr factory, std::uint64_t seed,
            links_handle links);
  behavior_type make_behavior() override;
  const char* name() const override { return "peer_link"; }
  void on_exit() override;

 private:
  enum class phase { dialing, greeting, up, waiting, self };

  void start_dialing();
  void hurry();
  void greet();
  void answered(const hello& answer);
  void unanswered(const std::string& problem);
  void lost(const std::string& problem, link_report::status status = link_report::status::down);
  void report(link_report::status status, const std::string& problem = {});
  void let_go();
  std::string objection(const hello& answer) const;

  line line_;
  hello self_;
  links_handle links_;
  /// What the other side said last.
  hello peer_;
  phase phase_ = phase::dialing;
  raft::time_point dialed_at_;
  bool asking_ = false;
  /// The own identity changed while a hello was on its way.
  bool ask_again_ = false;
  unsigned silences_ = 0;
};

/// What a node has against a link to `peer`, whichever of them dialed; empty for nothing.
std::string objection_to(const hello& peer, const hello& self);
/// Of bounded length in printable characters, so that it can be logged; that it can be dialed is for the dial to say.
bool plausible_address(const std::string& address);
/// A peer as the rules of raft/ see it.
raft::sighted_peer sighted(const hello& peer);

} // namespace troupe

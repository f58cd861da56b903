// Failure detection: each node probes every other node directly and, if there is no response, through others.
//
//   a peer:   [alive] -- suspicion reaches `suspect` --> [suspect] -- reaches `dead` --> [dead]
//                ^                                           |                            |
//                +---------------- any sign of life ---------+----------------------------+
#pragma once

#include "raft/base/random.hpp"
#include "raft/base/types.hpp"
#include "raft/membership/failure_detector.hpp"

#include <cstdint>
#include <map>
#include <troupe/status.hpp>
#include <variant>
#include <vector>

namespace troupe::raft {

struct health_options {
  /// Average time between two probes of a peer.
  duration interval = std::chrono::milliseconds{500};
  /// Limits on the scale of failure_detector::suspicion. Without message loss they are reached after 3.5 and 9.2
  /// seconds of silence.
  double suspect = 3;
  double dead = 8;
  /// The number of other nodes that are asked to probe a peer that did not respond (das Gupta, Birman, "SWIM", 2001).
  std::size_t helpers = 2;
};

using troupe::peer_health;
using troupe::peer_state;
using troupe::to_string;

struct probe {
  cluster_id cluster;
  node_id from;
  node_id to;
  std::uint64_t number = 0;
};
/// Reports a sign of life of `about`: the sender itself, in response to a probe, or a peer that it was asked to probe.
struct probe_ack {
  cluster_id cluster;
  node_id from;
  node_id to;
  node_id about;
  std::uint64_t number = 0;
};
/// Asks the receiver to probe `target` and to forward its response (indirect probe).
struct probe_request {
  cluster_id cluster;
  node_id from;
  node_id to;
  node_id target;
};
using health_message = std::variant<probe, probe_ack, probe_request>;

struct health_output {
  std::vector<health_message> send;
  struct change {
    node_id peer;
    peer_state now;
  };
  std::vector<change> changes;
};

/// Pure state machine of one node. Its results are hints for operators and for the leader; safety does not depend on
/// them. Memory is bounded: a few words per peer, and per pair of peers of which one asked about the other.
class health {
 public:
  health(node_id self, cluster_id cluster, health_options opts, std::uint64_t seed, time_point now);

  /// Sets the peers to watch; this node itself is skipped. New peers count as heard from at `now`.
  void watch(const std::vector<node_id>& peers, time_point now);
  /// Ignores messages of other clusters and to other nodes. Answers probes from any sender.
  health_output step(const health_message& what, time_point now);
  health_output tick(time_point now);
  time_point deadline() const noexcept { return next_round_; }

  std::vector<peer_health> view(time_point now) const;

 private:
  struct watched {
    failure_detector detector;
    peer_state state = peer_state::alive;
    /// Direct probes: the number of the newest one sent, and of the newest one answered.
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    /// The nodes that have asked for a probe of this peer since its last direct response.
    std::vector<node_id> requesters;
  };

  void on(const probe& what, time_point now, health_output& out);
  void on(const probe_ack& what, time_point now, health_output& out);
  void on(const probe_request& what, time_point now, health_output& out);
  void heard(node_id peer, time_point now, health_output& out);
  void ask_others(node_id target, health_output& out);
  void judge(time_point now, health_output& out);

  node_id self_;
  cluster_id cluster_;
  health_options opts_;
  prng random_;
  std::map<node_id, watched> peers_;
  time_point next_round_;
};

} // namespace troupe::raft

// Who is there: every node probes every other one, directly and, when that stays unanswered, through others.
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
#include <variant>
#include <vector>

namespace troupe::raft {

struct health_options {
  /// Between two probes of a peer, on average.
  duration interval = std::chrono::milliseconds{500};
  /// On the scale of failure_detector::suspicion. With nothing lost these are 3.5 and 9.2 seconds of silence.
  double suspect = 3;
  double dead = 8;
  /// How many others are asked to probe a peer that did not answer (das Gupta, Birman, "SWIM", 2001).
  std::size_t helpers = 2;
};

enum class peer_state : std::uint8_t { alive, suspect, dead };
const char* to_string(peer_state state);

struct probe {
  cluster_id cluster;
  node_id from;
  node_id to;
  std::uint64_t number = 0;
};
/// `about` gave a sign of life: the sender itself, answering a probe, or a peer that it was asked to probe.
struct probe_ack {
  cluster_id cluster;
  node_id from;
  node_id to;
  node_id about;
  std::uint64_t number = 0;
};
/// Asks the receiver to probe `target`, and to pass on that it is there.
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

struct peer_health {
  node_id id;
  peer_state state = peer_state::alive;
  double suspicion = 0;
  duration silent_for{};
  /// The last direct probe but one was answered: if not, and the peer is alive, the link to it is bad.
  bool direct = true;
};

/// Pure machine of one node. What it finds is a hint for people and for the leader; nothing that safety needs hangs on
/// it. Bounded: it keeps a few words for each peer and each pair of peers that ask for each other.
class health {
 public:
  health(node_id self, cluster_id cluster, health_options opts, std::uint64_t seed, time_point now);

  /// Whom to watch from now on; this node itself is passed over. New ones count as heard now.
  void watch(const std::vector<node_id>& peers, time_point now);
  /// Messages of other clusters and to other nodes are ignored; a probe is answered whoever sent it.
  health_output step(const health_message& what, time_point now);
  health_output tick(time_point now);
  time_point deadline() const noexcept { return next_round_; }

  std::vector<peer_health> view(time_point now) const;

 private:
  struct watched {
    failure_detector detector;
    peer_state state = peer_state::alive;
    /// Direct probes: sent, and the newest that was answered.
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    /// Who asked for this peer since it was last heard directly.
    std::vector<node_id> askers;
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

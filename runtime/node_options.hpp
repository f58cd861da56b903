// How a node is configured.
#pragma once

#include "actors/replica/snapshot_schedule.hpp"
#include "raft/membership/member_policy.hpp"
#include "raft/options.hpp"
#include "runtime/transport/transport_settings.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

class peer_source;

struct node_options {
  /// Where the node keeps its identity and its log. Made if missing, locked while the node runs.
  std::filesystem::path data_dir = "troupe-data";
  /// The address to listen at for other nodes and clients; empty for all interfaces. Others than this machine's own
  /// (127.0.0.0/8, ::1, localhost) need TLS, or `insecure`.
  std::string bind = "127.0.0.1";
  /// Not 0.
  std::uint16_t raft_port = 5000;
  /// Where others reach this node, as host:port; empty: `bind` (or, for all interfaces, the host's name) and the port.
  std::string advertise = {};
  /// How nodes find each other: methods with a semicolon between them, such as "static:host:port,host:port" (see
  /// discovery/spec.hpp and docs/discovery.md); empty for none.
  std::string discovery = {};
  /// More ways to find them, of your own (see actors/discovery/discovery_loop.hpp).
  std::vector<std::shared_ptr<peer_source>> sources = {};
  /// With how many nodes this one forms a cluster, itself included: 0 never (it only ever joins), 1 alone, n with
  /// exactly n. Not set: as many as static discovery lists if there is no other, 0 with any other, 1 without discovery.
  std::optional<std::size_t> bootstrap_expect = {};
  /// A backup for a new cluster to begin with; empty: none. One node of the formation needs it; the others get its
  /// state from there, or have the same file. For fresh data directories: one that belongs to a cluster is refused,
  /// unless that cluster began with this backup. Then the option is ignored.
  std::filesystem::path restore = {};
  /// TLS and the cluster's secret.
  transport_settings transport = {};
  /// Listen at any address without TLS: whoever can reach the port can read and change everything.
  bool insecure = false;
  /// Whom this node lets in and removes while it leads. `remove` not set: yes if mDNS or Kubernetes is among the
  /// methods of `discovery`, else no.
  raft::member_policy_options members = {};
  /// Heartbeat, election timeouts and limits of the protocol.
  raft::options raft = {};
  /// When the node takes a snapshot by itself, and so lets its log begin again.
  snapshot_policy snapshots = {};
  /// Bytes that the state of the services may take, as they tell it (services/service.hpp); 0: any number. While a node
  /// leads whose quota is reached, commands that would add to the state are rejected as state_full, and all others
  /// go on. What is on its way may go beyond it. Give all nodes the same. Set it to what fits into memory
  /// twice: a snapshot of another node is loaded beside the state that is there.
  std::uint64_t max_state_bytes = 0;
  /// Bytes of a log segment file.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
  /// What a request may take when it does not say: 1 ms to 5 minutes; less or more counts as the nearest of these.
  std::chrono::milliseconds request_timeout{5000};
  /// What a stopping node waits for its unanswered requests. One that leaves its cluster first may wait for that as
  /// long again.
  std::chrono::milliseconds drain_timeout{5000};
  /// What it then waits for its threads that work on the disk: a disk that hangs holds them for as long as it likes.
  /// See node::stop. Raise it where a sync takes seconds.
  std::chrono::milliseconds close_timeout{2000};
  /// A node is not ready while it has not applied what it has known to be committed for longer than this. 0: five times
  /// raft.election_max. Raise it where a command of a service takes seconds.
  std::chrono::milliseconds ready_lag{0};
};

} // namespace troupe

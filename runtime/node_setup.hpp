// What a node's supervisor needs from the code that spawns it.
#pragma once

#include "actors/cluster/member_keeper.hpp"
#include "actors/replica/log_opener.hpp"

#include <functional>
#include <string>
#include <troupe/options.hpp>
#include <troupe/status.hpp>
#include <vector>

namespace troupe {

/// The actors around the replica. The code that spawns the node spawns them.
struct node_actors {
  endpoint_handle endpoint;
  links_handle links;
  proxy_handle proxy;
  formation_handle formation;
  health_monitor_handle health;
};

struct node_setup {
  node_id id;
  std::string address;
  std::uint64_t seed = 0;
  raft::options raft;
  std::chrono::milliseconds drain_timeout{5000};
  std::chrono::milliseconds close_timeout{2000};
  std::chrono::milliseconds ready_lag{0};
  storage_factory open_log;
  std::vector<machine_factory> services;
  snapshot_policy snapshots;
  /// Reported in the status; the proxy enforces it.
  std::uint64_t max_state_bytes = 0;
  raft::member_policy_options members;
  /// How many nodes are listed or expected; 0 if unknown. A warning is logged if the cluster has fewer members.
  std::size_t expected_members = 0;
  /// The state of the transport; empty if there is no transport.
  std::function<network_status()> network;
  /// Whether blocking actors get their own threads. Tests in virtual time turn this off.
  bool detach_log = true;
};

} // namespace troupe

TROUPE_LIBRARY_MESSAGE(troupe::node_actors);

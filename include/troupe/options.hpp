// How a node and a client are configured.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <troupe/cluster_options.hpp>
#include <vector>

namespace troupe {

class peer_source;

/// Mutual TLS 1.3. Changed files are loaded within seconds; links that are up stay up.
struct tls_settings {
  /// This process's certificate with the chain to the CA, and its private key (not accessible to others). PEM.
  std::filesystem::path cert;
  std::filesystem::path key;
  /// The CAs that sign the certificates of the other processes. PEM.
  std::filesystem::path ca;
  /// The name of the cluster: a DNS name that the peer's certificate must have as a subject alternative name.
  std::string cluster_name;
  /// Further names that are accepted.
  std::vector<std::string> allowed_names;
};

/// How a process connects to others. Nodes and clients of one actor system with different files or names do not share
/// connections: a process to which one of them is connected cannot be reached by the other, which reports it. The same
/// holds, without TLS, between those that stay on this machine and those that do not.
struct transport_settings {
  /// Not set: no TLS.
  std::optional<tls_settings> tls;
  /// A file with a secret of at least 16 bytes that all processes of the cluster know; empty: none. It protects against
  /// accidents and does not replace TLS: what is sent afterwards is neither secret nor authenticated.
  std::filesystem::path cluster_secret_file;
  /// A connection is closed when nothing arrives for this long. At least three times CAF's middleman.heartbeat-interval
  /// (200 ms by default). Not set: nine tenths of the longest election timeout for a node (0.9 s), 0.9 s for a client.
  std::optional<std::chrono::milliseconds> silence_limit = {};
  /// The log warns once a day about a certificate that expires sooner. Not set: a third of its validity, but at most a
  /// week.
  std::optional<std::chrono::seconds> certificate_warning = {};
};

struct node_options {
  /// Where the node keeps its identity, its log and its snapshots. Created if missing, locked while the node runs.
  std::filesystem::path data_dir = "troupe-data";
  /// The address at which the node listens for other nodes and clients; empty: all interfaces. Any other address than
  /// this machine's own (127.0.0.0/8, ::1, localhost) needs TLS, or `insecure`.
  std::string bind = "127.0.0.1";
  /// Must not be 0.
  std::uint16_t raft_port = 5000;
  /// Where others reach this node, as host:port. Empty: `bind` (for all interfaces: the host's name) and the port.
  std::string advertise = {};
  /// How nodes find each other: methods separated by semicolons, such as "static:host:port,host:port"
  /// (docs/discovery.md); empty: none.
  std::string discovery = {};
  /// Discovery methods of your own (discovery.hpp).
  std::vector<std::shared_ptr<peer_source>> sources = {};
  /// The number of nodes, this one included, that form a cluster: 0: this node only joins; 1: it forms one alone; n:
  /// with exactly n. Not set: the number that static discovery lists if there is no other method, 0 with any other
  /// method, 1 without discovery.
  std::optional<std::size_t> bootstrap_expect = {};
  /// A backup with which a new cluster begins; empty: none. One node of the formation needs it; the others get its
  /// state from that node, or have the same file. It is for new data directories: a directory that belongs to a cluster
  /// is refused, unless that cluster began with this backup. Then the option is ignored.
  std::filesystem::path restore = {};
  /// TLS and the cluster's secret.
  transport_settings transport = {};
  /// Listen at any address without TLS: anyone who can reach the port can read and change everything.
  bool insecure = false;
  /// Which nodes this one lets in and removes while it leads. `remove` not set: true if mDNS or Kubernetes is among the
  /// methods of `discovery`, else false.
  member_policy_options members = {};
  /// Heartbeat, election timeouts and limits of the protocol.
  raft_options raft = {};
  /// When the node takes a snapshot by itself.
  snapshot_policy snapshots = {};
  /// The quota for the state of the services, in bytes, as they report it (service.hpp); 0: no limit. A leader whose
  /// state has reached it rejects commands that would add to the state as state_full, and serves all others. Commands
  /// in flight may exceed it. Give all nodes the same value, at most half of the memory: a snapshot of another node is
  /// loaded beside the present state.
  std::uint64_t max_state_bytes = 0;
  /// The size of a log segment file, in bytes.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
  /// The deadline of a request that has none of its own: 1 ms to 5 minutes; other values become the nearest of these.
  std::chrono::milliseconds request_timeout{5000};
  /// How long a node that stops waits for its unanswered requests. A node that leaves its cluster first may wait for
  /// that for the same time again.
  std::chrono::milliseconds drain_timeout{5000};
  /// How long it then waits for its threads that use the disk, which a disk that hangs may hold for any time. See
  /// node::stop. Raise it where a sync takes seconds.
  std::chrono::milliseconds close_timeout{2000};
  /// A node is not ready while it has not applied what it has known to be committed for longer than this. 0: five times
  /// raft.election_max. Raise it where a command of a service takes seconds.
  std::chrono::milliseconds ready_lag{0};
};

/// Returns what is wrong with these options, naming the field; empty if nothing is found. It touches no file and no
/// port: starting a node may still fail.
std::string objection(const node_options& options);

struct client_options {
  /// The nodes to connect to first, as host:port; at least one. The client learns other nodes from them, and finds and
  /// follows the leader.
  std::vector<std::string> endpoints;
  /// TLS and the cluster's secret.
  transport_settings transport = {};
  /// Without TLS: follow nodes to other machines even if all endpoints are loopback addresses.
  bool insecure = false;
  /// The deadline of a request that has none of its own: 1 ms to 5 minutes; other values become the nearest of these.
  std::chrono::milliseconds request_timeout{5'000};
  /// How long `stop` waits for unanswered requests.
  std::chrono::milliseconds drain_timeout{5'000};
  /// How many requests, and bytes of them, may be unanswered; more are rejected as overloaded.
  std::size_t max_pending = 100'000;
  std::size_t max_pending_bytes = 64 << 20;
};

} // namespace troupe

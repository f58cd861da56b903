// How a process of a cluster, node or client, communicates with the others over the network.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Mutual TLS 1.3. Changed files are loaded within seconds. Existing links stay up.
struct tls_settings {
  /// This process's certificate with the intermediate certificates up to the CA, and its private key; PEM. Others must
  /// not have access to the key file.
  std::filesystem::path cert;
  std::filesystem::path key;
  /// The CA that must have signed the certificates of the others; PEM.
  std::filesystem::path ca;
  /// The name of the cluster: a DNS name that the other side's certificate must have as a subject alternative name.
  std::string cluster_name;
  /// Further names, of which the certificate may have one instead.
  std::vector<std::string> allowed_names;
};

/// Nodes and clients of one actor system with different files or names do not share connections. A process that is
/// connected for one of them cannot be reached by another; its attempts fail with an error that says so. Without TLS,
/// the same applies between nodes and clients that stay on this machine and those that do not.
struct transport_settings {
  /// Without a value: no TLS.
  std::optional<tls_settings> tls;
  /// A file with a secret of at least 16 bytes that all processes of the cluster know. Empty: no secret. It protects
  /// against accidents and does not replace TLS: the data that follows is neither encrypted nor authenticated.
  std::filesystem::path cluster_secret_file;
  /// A connection on which nothing arrives for this long is cut. At least three times CAF's
  /// middleman.heartbeat-interval (200 ms by default). Without a value: for a node, nine tenths of its longest election
  /// timeout (0.9 s by default); for a client, 0.9 s.
  std::optional<std::chrono::milliseconds> silence_limit = {};
  /// The log warns once a day about a certificate that expires within this time. Without a value: a third of its whole
  /// validity, but at most a week.
  std::optional<std::chrono::seconds> certificate_warning = {};
};

} // namespace troupe

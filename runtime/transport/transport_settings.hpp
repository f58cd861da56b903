// How a process of a cluster, node or client, meets the others over the network.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Mutual TLS 1.3. Changed files are taken over within seconds, and links that are up stay up.
struct tls_settings {
  /// This process's certificate with what leads to the CA, and its private key (without access for others); PEM.
  std::filesystem::path cert;
  std::filesystem::path key;
  /// Who must have signed the certificates of the others; PEM.
  std::filesystem::path ca;
  /// The name of the cluster: a DNS name that the other side's certificate must carry as subject alternative name.
  std::string cluster_name;
  /// Names that do as well.
  std::vector<std::string> allowed_names;
};

/// Nodes and clients of one actor system that have different files or names do not share connections: what is connected
/// for one of them cannot be reached by the other, which says so. Nor do, without TLS, those that stay on this machine
/// and those that do not.
struct transport_settings {
  /// Not set: no TLS.
  std::optional<tls_settings> tls;
  /// A file with a secret of at least 16 bytes that all processes of the cluster know; empty: none. A protection
  /// against accidents, and no substitute for TLS: what is sent afterwards is neither secret nor authenticated.
  std::filesystem::path cluster_secret_file;
  /// A connection that brings nothing for so long is cut. At least three times CAF's middleman.heartbeat-interval (200
  /// ms unless configured otherwise). Not set: of a node, nine tenths of its longest election timeout (0.9 s), of a
  /// client 0.9 s.
  std::optional<std::chrono::milliseconds> silence_limit = {};
  /// The log warns once a day of a certificate that expires sooner. Not set: in a third of its whole time, or a week if
  /// that is less.
  std::optional<std::chrono::seconds> certificate_warning = {};
};

} // namespace troupe

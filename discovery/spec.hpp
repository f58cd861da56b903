// What `--discovery` says: by which methods nodes find each other.
#pragma once

#include "raft/base/host_port.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// A specification that cannot be read.
class bad_discovery : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Each address once, in the order in which they were given.
struct static_list {
  std::vector<host_port> addresses;
  friend bool operator==(const static_list&, const static_list&) = default;
};

/// "dns:name:port" asks for A and AAAA records, "dns:_service._proto.name" for SRV records, which have ports.
struct dns_query {
  std::string name;
  /// Nothing: SRV.
  std::optional<std::uint16_t> port;
  /// Between two lookups.
  std::chrono::seconds interval{10};
  /// The name server to ask, by its IPv4 address; nothing: those of the system.
  std::optional<host_port> server;
  friend bool operator==(const dns_query&, const dns_query&) = default;
};

/// "k8s:service=NAME" asks the API server for the EndpointSlices of a service, "k8s:selector=LABELS" for pods.
struct kubernetes_query {
  /// One of the two is set.
  std::string service;
  std::string selector;
  /// Empty: the one this pod runs in.
  std::string name_space;
  /// The name of a port, or its number.
  std::string port = "raft";
  /// https://host:port; empty: what the environment of a pod says.
  std::string server;
  /// Where token, ca.crt and namespace are; empty: where a pod has them.
  std::string secrets;
  friend bool operator==(const kubernetes_query&, const kubernetes_query&) = default;
};

/// "mdns:" or "mdns:_name._tcp".
struct mdns_service {
  std::string type = "_troupe._tcp";
  friend bool operator==(const mdns_service&, const mdns_service&) = default;
};

using discovery_method = std::variant<static_list, dns_query, kubernetes_query, mdns_service>;
/// At most one static list, and no method twice.
using discovery_spec = std::vector<discovery_method>;

/// Reads methods with a semicolon between them, "none", or the empty text for none. Static lists are taken together.
/// Spaces around methods, addresses and options are ignored. Throws `bad_discovery`, or `bad_address`.
discovery_spec parse_discovery(std::string_view text);

/// What a method is called in logs and towards the links: without its options, different for any two of one spec.
std::string name_of(const discovery_method& method);

} // namespace troupe

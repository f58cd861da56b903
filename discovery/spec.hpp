// The value of `--discovery`: the methods by which nodes find each other.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <troupe/address.hpp>
#include <variant>
#include <vector>

namespace troupe {

/// An invalid specification.
class bad_discovery : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Each address once, in the given order.
struct static_list {
  std::vector<host_port> addresses;
  friend bool operator==(const static_list&, const static_list&) = default;
};

/// "dns:name:port" asks for A and AAAA records, "dns:_service._proto.name" for SRV records, which have ports.
struct dns_query {
  std::string name;
  /// Empty: SRV records.
  std::optional<std::uint16_t> port;
  /// Interval of lookups.
  std::chrono::seconds interval{10};
  /// The IPv4 address of the name server. Empty: those of the system.
  std::optional<host_port> server;
  friend bool operator==(const dns_query&, const dns_query&) = default;
};

/// "k8s:service=NAME" asks the API server for the EndpointSlices of a service, "k8s:selector=LABELS" for pods.
struct kubernetes_query {
  /// One of the two is set.
  std::string service;
  std::string selector;
  /// Empty: the namespace of this pod.
  std::string name_space;
  /// The name of a port, or its number.
  std::string port = "raft";
  /// https://host:port. Empty: from the environment of the pod.
  std::string server;
  /// The folder of token, ca.crt and namespace. Empty: their usual folder in a pod.
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

/// Parses methods separated by semicolons; "none" or the empty text means no method. Merges static lists. Ignores
/// spaces around methods, addresses and options. Throws `bad_discovery` or `bad_address`.
discovery_spec parse_discovery(std::string_view text);

/// The name of a method in logs and for the links: without its options, and unique within a specification.
std::string name_of(const discovery_method& method);

} // namespace troupe

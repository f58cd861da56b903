// Webservers that find each other by mDNS, each on a separate host with a real avahi-daemon.
#pragma once

#include "tests/process/avahi.hpp"
#include "tests/process/cluster.hpp"
#include "tests/process/lan.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// The network of this process. The first call makes it, since a process cannot leave its namespaces.
lan& network();

/// Whether the tests must be skipped because a host with Avahi cannot run here. Prints the reason.
bool skipped();

/// A webserver on a host with Avahi.
struct mdns_node {
  int host;
  /// The IPv4 address at bridge 1, which the node advertises.
  std::string address;
  std::filesystem::path folder;
  avahi_host avahi;
  std::string name;
  std::unique_ptr<program> process;

  explicit mdns_node(std::filesystem::path in, bool daemon = true, const std::vector<int>& bridges = {1});

  /// `data`: the name of its directory, if different from the node's.
  void start(const std::vector<std::string>& more, const std::string& data = {});
  /// Stops the node with SIGTERM.
  void stop();
  /// Gives its host another address.
  void readdress(const std::string& to);

  std::string log() const { return read_text(folder / (name + ".log")); }
  http::client http(milliseconds timeout = milliseconds{3000}) const { return {address, 8080, timeout}; }
  json status() const { return body_of(http().request("GET", "/status"), name + " /status"); }
  json members() const { return body_of(http().request("GET", "/v1/members"), name + " /v1/members"); }
  std::string id() const { return status()["id"]; }
  bool ready() const { return http().request("GET", "/readyz").status == 200; }
  /// The resolved records that the independent client avahi-browse shows on this host.
  std::string browse() const;
};

} // namespace troupe::testing

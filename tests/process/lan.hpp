// Simulates hosts in a network with network namespaces on a bridge. They end with the test.
#pragma once

#include "tests/process/program.hpp"

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// Make one, before the process has threads: the main thread, and everything that it starts later, moves to a namespace
/// of its own that contains the bridges. From there all hosts can be reached.
class lan {
 public:
  explicit lan(std::filesystem::path folder);
  /// Why the network could not be made; empty if it was.
  const std::string& why_not() const { return why_not_; }

  /// 10.77.N.X for host X (from 1) at bridge N (1 or 2). A host may be at both.
  static std::string address(int host, int bridge = 1);
  /// Adds a host at these bridges; returns its number.
  int add_host(const std::vector<int>& bridges = {1});
  /// A command line that runs `command` on the host.
  std::vector<std::string> at(int host, std::vector<std::string> command) const;
  /// Runs a command on the host. Throws if its exit code is not 0.
  void run_at(int host, std::vector<std::string> command) const;
  /// Disconnects a host from a bridge, or connects it again.
  void set_link(int host, bool up, int bridge = 1) const;
  /// Partitions the network at bridge 1: hosts that are set apart reach only each other. This process reaches all
  /// hosts. The hosts must have their first address.
  void set_apart(const std::vector<int>& hosts, bool apart) const;
  /// Replaces all addresses of a host at bridge 1 by this IPv4 address and a link-local one.
  void readdress(int host, const std::string& to) const;

 private:
  void add_bridge(const std::string& name, int number) const;
  void must(std::vector<std::string> command) const;

  std::filesystem::path folder_;
  std::string why_not_;
  /// Each process keeps the namespaces of a host alive.
  std::vector<std::unique_ptr<program>> hosts_;
};

} // namespace troupe::testing

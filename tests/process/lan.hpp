// Hosts of their own in one network: network namespaces on a bridge. They end with the test.
#pragma once

#include "tests/process/program.hpp"

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// To be made before the process has threads, once: the main thread moves to a namespace of its own, with the bridge,
/// and so does whatever it starts later. From there all hosts can be reached.
class lan {
 public:
  explicit lan(std::filesystem::path folder);
  /// Why there is none; empty if there is.
  const std::string& why_not() const { return why_not_; }

  /// 10.77.N.X at the bridge N (1 or 2), for host X from 1. A host may be at both.
  static std::string address(int host, int bridge = 1);
  /// Adds a host, at these bridges; returns its number.
  int add_host(const std::vector<int>& bridges = {1});
  /// A command that runs there.
  std::vector<std::string> at(int host, std::vector<std::string> command) const;
  /// Runs one there to its end, which must be good.
  void run_at(int host, std::vector<std::string> command) const;
  /// Cuts a host from a bridge, or joins it again.
  void set_link(int host, bool up, int bridge = 1) const;
  /// Splits the network at bridge 1: hosts that are set apart reach each other there, and no other host. This process
  /// reaches all. For hosts with the address they were given first.
  void set_apart(const std::vector<int>& hosts, bool apart) const;
  /// Gives a host another IPv4 address at bridge 1, and another link-local one. No old one is left.
  void readdress(int host, const std::string& to) const;

 private:
  void add_bridge(const std::string& name, int number) const;
  void must(std::vector<std::string> command) const;

  std::filesystem::path folder_;
  std::string why_not_;
  /// Each keeps the namespaces of a host alive.
  std::vector<std::unique_ptr<program>> hosts_;
};

} // namespace troupe::testing

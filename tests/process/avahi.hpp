// Runs avahi-daemons, one per host, each with its own message bus.
#pragma once

#include "tests/process/lan.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

class avahi_host {
 public:
  /// Starts the bus and, if `daemon`, the daemon. Sockets and logs are in `folder`.
  avahi_host(const lan& net, int host, std::filesystem::path folder, bool daemon = true);

  void start_daemon();
  void stop_daemon();
  program& daemon() { return *daemon_; }
  /// Stops the bus. The daemon exits as well, because it needs the bus.
  void stop_bus();
  void start_bus();
  /// A command line that runs `command` on this host, with its bus.
  std::vector<std::string> at(std::vector<std::string> command) const;

 private:
  std::filesystem::path file(const std::string& name) const;

  const lan& net_;
  int host_;
  std::filesystem::path folder_;
  std::unique_ptr<program> bus_;
  std::unique_ptr<program> daemon_;
};

/// The name of what is missing to run the daemons; empty if nothing is.
std::string missing_for_avahi();

} // namespace troupe::testing

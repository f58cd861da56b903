// avahi-daemons with message buses of their own, one to a host.
#pragma once

#include "tests/process/lan.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

class avahi_host {
 public:
  /// Starts the bus, and the daemon unless told not to. `folder` takes sockets and logs.
  avahi_host(const lan& net, int host, std::filesystem::path folder, bool daemon = true);

  void start_daemon();
  void stop_daemon();
  program& daemon() { return *daemon_; }
  /// The bus takes the daemon with it, as that needs it.
  void stop_bus();
  void start_bus();
  /// A command that runs at this host, with its bus.
  std::vector<std::string> at(std::vector<std::string> command) const;

 private:
  std::filesystem::path file(const std::string& name) const;

  const lan& net_;
  int host_;
  std::filesystem::path folder_;
  std::unique_ptr<program> bus_;
  std::unique_ptr<program> daemon_;
};

/// Whether the daemons are installed; if not, what is missing.
std::string missing_for_avahi();

} // namespace troupe::testing

#include "tests/process/lan.hpp"

#include "tests/process/cluster.hpp"

#include <cerrno>
#include <cstring>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>

namespace troupe::testing {
namespace {

std::string name_of(const char* what, int host, int bridge) {
  return what + std::to_string(host) + "." + std::to_string(bridge);
}

/// The bridge of the hosts that are separated from those at bridge 1.
constexpr auto island = "island";

} // namespace

lan::lan(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    why_not_ = std::strerror(errno);
    return;
  }
  must({"ip", "link", "set", "lo", "up"});
  for (const int bridge : {1, 2}) {
    const auto name = "bridge" + std::to_string(bridge);
    add_bridge(name, bridge);
    must({"ip", "addr", "add", address(254, bridge) + "/24", "dev", name});
  }
  add_bridge(island, 1);
}

void lan::add_bridge(const std::string& name, int number) const {
  // Sets the hardware address, which a bridge otherwise changes with its ports. The island has the same address as
  // bridge 1, because a moved host knows this process by it.
  must({"ip", "link", "add", name, "address", "02:00:00:00:00:0" + std::to_string(number), "type", "bridge"});
  must({"ip", "link", "set", name, "up"});
}

std::string lan::address(int host, int bridge) {
  return "10.77." + std::to_string(bridge) + "." + std::to_string(host);
}

int lan::add_host(const std::vector<int>& bridges) {
  const int host = static_cast<int>(hosts_.size()) + 1;
  // Processes on the host have their own /run. The file shows that the namespaces exist.
  const auto ready = folder_ / ("host" + std::to_string(host));
  hosts_.push_back(
      std::make_unique<program>(std::vector<std::string>{"/usr/bin/unshare", "-n", "-m", "/bin/sh", "-c",
                                                         "mount -t tmpfs none /run && ip link set lo up && touch " +
                                                             ready.string() + " && exec sleep infinity"},
                                folder_ / "hosts.log"));
  wait_for("start of a host", milliseconds{10'000}, [&] { return std::filesystem::exists(ready); });
  for (const int bridge : bridges) {
    const auto outside = name_of("out", host, bridge), inside = name_of("eth", host, bridge);
    must({"ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns",
          std::to_string(hosts_.back()->pid())});
    must({"ip", "link", "set", outside, "master", "bridge" + std::to_string(bridge), "up"});
    run_at(host, {"ip", "addr", "add", address(host, bridge) + "/24", "dev", inside});
    run_at(host, {"ip", "link", "set", inside, "up"});
  }
  return host;
}

std::vector<std::string> lan::at(int host, std::vector<std::string> command) const {
  const auto pid = std::to_string(hosts_.at(static_cast<std::size_t>(host) - 1)->pid());
  command.insert(command.begin(), {"/usr/bin/nsenter", "-t", pid, "-n", "-m", "--"});
  return command;
}

void lan::run_at(int host, std::vector<std::string> command) const { must(at(host, std::move(command))); }

void lan::set_link(int host, bool up, int bridge) const {
  must({"ip", "link", "set", name_of("out", host, bridge), up ? "up" : "down"});
}

void lan::set_apart(const std::vector<int>& hosts, bool apart) const {
  for (const int host : hosts) {
    must({"ip", "link", "set", name_of("out", host, 1), "master", apart ? island : "bridge1"});
    must({"ip", "route", apart ? "add" : "del", address(host) + "/32", "dev", island, "src", address(254)});
  }
}

void lan::readdress(int host, const std::string& to) const {
  const auto inside = name_of("eth", host, 1);
  run_at(host, {"ip", "addr", "flush", "dev", inside});
  run_at(host, {"ip", "addr", "add", to + "/24", "dev", inside});
  run_at(host, {"ip", "addr", "add", "fe80::" + to.substr(to.rfind('.') + 1) + "/64", "dev", inside});
}

void lan::must(std::vector<std::string> command) const {
  command.insert(command.begin(), "/usr/bin/env");
  std::string text;
  for (const auto& word : command) text += ' ' + word;
  if (run(std::move(command), folder_ / "lan.log") != 0) throw std::runtime_error("failed:" + text);
}

} // namespace troupe::testing

#include "tests/process/mdns_node.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <iostream>
#include <utility>

namespace troupe::testing {

using namespace std::chrono_literals;

lan& network() {
  static lan net{make_folder(lifetime::program)};
  return net;
}

bool skipped() {
  const auto missing = missing_for_avahi();
  if (missing.empty() && network().why_not().empty()) return false;
  std::cout << (missing.empty() ? "skipped: needs root (" + network().why_not() + ")\n"
                                : "skipped: needs " + missing + '\n');
  return true;
}

mdns_node::mdns_node(std::filesystem::path in, bool daemon, const std::vector<int>& bridges)
    : host(network().add_host(bridges)), address(lan::address(host)), folder(std::move(in)),
      avahi(network(), host, folder, daemon), name("node" + std::to_string(host)) {}

void mdns_node::start(const std::vector<std::string>& more, const std::string& data) {
  std::vector<std::string> command{
      TROUPE_WEBSERVER, "--bind",      "",      "--advertise", address + ":5000",
      "--insecure",     "--discovery", "mdns:", "--data-dir",  (folder / (data.empty() ? name : data)).string()};
  command.insert(command.end(), more.begin(), more.end());
  process = std::make_unique<program>(avahi.at(command), folder / (name + ".log"));
}

void mdns_node::stop() {
  process->signal(SIGTERM);
  CHECK(process->wait(15s) == 0);
}

void mdns_node::readdress(const std::string& to) {
  network().readdress(host, to);
  address = to;
}

std::string mdns_node::browse() const {
  const auto file = folder / (name + ".browse.txt");
  std::filesystem::remove(file);
  // avahi-browse never exits if a record disappears while it is resolved.
  run(avahi.at({"timeout", "4", "avahi-browse", "--resolve", "--terminate", "--parsable", "_troupe._tcp"}), file);
  return read_text(file);
}

} // namespace troupe::testing

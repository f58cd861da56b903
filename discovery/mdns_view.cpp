#include "discovery/mdns_view.hpp"

#include "discovery/host_port.hpp"

#include <algorithm>

namespace troupe {
namespace {

/// Each costs the daemon a resolver, of which it gives a client 1024 at most.
constexpr std::size_t max_instances = 512;

const char* state_text(raft::membership_state state) {
  switch (state) {
  case raft::membership_state::fresh:
    return "fresh";
  case raft::membership_state::promised:
    return "promised";
  case raft::membership_state::formed:
    return "formed";
  }
  return "?";
}

bool is_link_local_v6(const std::string& address) {
  // fe80::/10
  return address.size() > 4 && address.starts_with("fe") &&
         std::string_view{"89ab"}.find(address[2]) != std::string_view::npos && address[4] == ':';
}

} // namespace

std::vector<std::string> txt_of(const mdns_identity& who) {
  return {"node=" + to_string(who.node), "incarnation=" + std::to_string(who.incarnation),
          "protocol=" + std::to_string(who.protocol), std::string{"state="} + state_text(who.state),
          "cluster=" + (who.cluster ? to_string(who.cluster) : "")};
}

std::string instance_of(const mdns_identity& who) { return "troupe-" + to_string(who.node); }

std::optional<std::string> mdns_address(const std::string& address, std::uint16_t port, int interface) {
  auto host = address;
  if (is_link_local_v6(host)) {
    if (interface <= 0) return std::nullopt;
    host += '%' + std::to_string(interface); // its number: names of interfaces have upper and lower case
  }
  try {
    return to_string(parse_host_port(to_string(host_port{host, port})));
  } catch (const bad_address&) {
    return std::nullopt;
  }
}

bool mdns_view::appeared(const mdns_key& key) {
  if (instances_.size() >= max_instances) return false;
  return instances_.emplace(key, instance{}).second;
}

void mdns_view::resolved(const mdns_key& key, std::optional<std::string> address) {
  const auto found = instances_.find(key);
  if (found != instances_.end()) found->second = {false, std::move(address)};
}

std::optional<std::vector<std::string>> mdns_view::addresses() const {
  if (!listed_all_) return std::nullopt;
  std::vector<std::string> all;
  for (const auto& [key, one] : instances_) {
    if (one.asked) return std::nullopt;
    if (one.address) all.push_back(*one.address);
  }
  return all;
}

} // namespace troupe

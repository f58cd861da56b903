#include "discovery/mdns_view.hpp"

#include <algorithm>
#include <troupe/address.hpp>

namespace troupe {
namespace {

constexpr std::string_view name_prefix = "troupe-";

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

std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

bool is_link_local_v6(const std::string& address) {
  // fe80::/10
  return address.size() > 4 && address.starts_with("fe") &&
         std::string_view{"89ab"}.find(address[2]) != std::string_view::npos && address[4] == ':';
}

} // namespace

std::vector<std::string> txt_of(const mdns_identity& identity) {
  return {"node=" + to_string(identity.node), "incarnation=" + std::to_string(identity.incarnation),
          "protocol=" + std::to_string(identity.protocol), std::string{"state="} + state_text(identity.state),
          "cluster=" + (identity.cluster ? to_string(identity.cluster) : "")};
}

std::string instance_of(const mdns_identity& identity) { return std::string{name_prefix} + to_string(identity.node); }

bool is_instance_name(std::string_view name) {
  constexpr std::size_t digits = 16;
  constexpr std::size_t longest_number = 6;
  constexpr std::string_view mark = " #";
  if (!name.starts_with(name_prefix)) return false;
  name.remove_prefix(name_prefix.size());
  const auto id = name.substr(0, digits);
  if (id.size() != digits || !raft::parse_node_id(id)) return false;
  name.remove_prefix(digits);
  if (name.empty()) return true;
  if (!name.starts_with(mark)) return false;
  name.remove_prefix(mark.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= longest_number && std::all_of(name.begin(), name.end(), is_digit);
}

std::optional<std::string> mdns_address(const std::string& address, std::uint16_t port, int interface) {
  auto host = address;
  if (is_link_local_v6(host)) {
    if (interface <= 0) return std::nullopt;
    host += '%' + std::to_string(interface); // its number, because interface names are case-sensitive
  }
  try {
    return to_string(parse_host_port(to_string(host_port{host, port})));
  } catch (const bad_address&) {
    return std::nullopt;
  }
}

std::optional<mdns_key> mdns_view::to_evict_for(const mdns_key& key) const {
  if (instances_.size() < max_instances || instances_.contains(key) || !is_instance_name(key.name)) return std::nullopt;
  const auto evicted = std::find_if(instances_.begin(), instances_.end(),
                                    [](const auto& item) { return !item.second.asked && !item.second.address; });
  return evicted == instances_.end() ? std::nullopt : std::optional{evicted->first};
}

bool mdns_view::appeared(const mdns_key& key) {
  if (instances_.size() >= max_instances || !is_instance_name(key.name)) return false;
  return instances_.emplace(key, instance{true, !listed_all_, std::nullopt}).second;
}

void mdns_view::vanished(const mdns_key& key) {
  const auto known = instances_.find(key);
  if (known == instances_.end()) return;
  count(known->second.address, -1);
  instances_.erase(known);
}

void mdns_view::resolved(const mdns_key& key, std::optional<std::string> address) {
  const auto known = instances_.find(key);
  if (known == instances_.end()) return;
  auto& one = known->second;
  count(one.address, -1);
  // Above the limit of its host an instance gets no address.
  if (address) {
    const auto others = per_host_.find(host_of(*address));
    if (others != per_host_.end() && others->second >= max_per_host) address.reset();
  }
  one.asked = false;
  one.address = std::move(address);
  count(one.address, 1);
}

void mdns_view::count(const std::optional<std::string>& address, int by) {
  if (!address) return;
  const auto host = host_of(*address);
  auto& instances = per_host_[host];
  instances += static_cast<std::size_t>(by);
  if (instances == 0) per_host_.erase(host);
}

std::optional<std::vector<std::string>> mdns_view::addresses() const {
  if (!listed_all_) return std::nullopt;
  std::vector<std::string> all;
  for (const auto& [key, one] : instances_) {
    if (one.asked && one.initial) return std::nullopt;
    if (one.address) all.push_back(*one.address);
  }
  return all;
}

} // namespace troupe

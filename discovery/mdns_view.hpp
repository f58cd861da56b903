// What nodes say of themselves by mDNS, and what is seen of them. Pure.
#pragma once

#include "raft/formation.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace troupe {

/// Goes into the TXT record, for people and their tools: whoever dials learns it from the handshake, and believes only
/// that.
struct mdns_identity {
  raft::node_id node;
  std::uint64_t incarnation = 0;
  std::uint32_t protocol = 0;
  raft::membership_state state = raft::membership_state::fresh;
  raft::cluster_id cluster;
  /// Where it takes connections.
  std::uint16_t port = 0;
  friend bool operator==(const mdns_identity&, const mdns_identity&) = default;
};
/// key=value, as RFC 6763 has it.
std::vector<std::string> txt_of(const mdns_identity& who);
/// The name of the service instance; nodes have different ones.
std::string instance_of(const mdns_identity& who);

/// One service instance as it shows at one interface and by one protocol.
struct mdns_key {
  int interface = 0;
  int protocol = 0;
  std::string name;
  std::string domain;
  auto tie() const { return std::tie(interface, protocol, name, domain); }
  friend bool operator<(const mdns_key& a, const mdns_key& b) { return a.tie() < b.tie(); }
};

/// host:port for an address in text; a link-local one of IPv6 gets its interface. Nothing if nobody can be dialed
/// there.
std::optional<std::string> mdns_address(const std::string& address, std::uint16_t port, int interface);

/// All instances that were announced, and where they lead.
class mdns_view {
 public:
  /// False for one that is known, and when there are too many: anybody in the network can announce any number.
  bool appeared(const mdns_key& key);
  void vanished(const mdns_key& key) { instances_.erase(key); }
  /// Nothing: it leads nowhere, at least for now, or to this node itself.
  void resolved(const mdns_key& key, std::optional<std::string> address);
  /// Everything that was there when browsing began has been announced.
  void listed_all() { listed_all_ = true; }
  /// Before the daemon has told everything, and while it is asked where an instance is, there is no view: it would lack
  /// peers that are there.
  std::optional<std::vector<std::string>> addresses() const;

 private:
  struct instance {
    bool asked = true;
    std::optional<std::string> address;
  };
  std::map<mdns_key, instance> instances_;
  bool listed_all_ = false;
};

} // namespace troupe

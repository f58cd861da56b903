// What nodes say of themselves by mDNS, and what is seen of them. Pure.
#pragma once

#include "raft/membership/formation.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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
/// Whether a node may have this name: the one above, or what Avahi makes of it where that is taken ("... #2").
bool is_instance_name(std::string_view name);

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

/// All instances that were announced, and where they lead. Anybody in the network can announce any number of names, so
/// all of this is bounded: names that no node has are passed over; of one host a few instances count; where there is no
/// room left, one that leads nowhere gives way; and an instance that is yet to be resolved holds nothing up, but for
/// those that are there from the beginning.
class mdns_view {
 public:
  /// Each costs the daemon a resolver, of which it gives a client 1024 at most.
  static constexpr std::size_t max_instances = 512;
  /// Several interfaces and protocols of each of several nodes.
  static constexpr std::size_t max_of_host = 32;

  /// Before `appeared`: an instance that is to vanish so that there is room for this one.
  std::optional<mdns_key> in_the_way_of(const mdns_key& key) const;
  /// False for one that is known, that no node can have announced, and when there are too many.
  bool appeared(const mdns_key& key);
  void vanished(const mdns_key& key);
  /// Nothing: it leads nowhere, at least for now, or to this node itself.
  void resolved(const mdns_key& key, std::optional<std::string> address);
  /// Everything that was there when browsing began has been announced.
  void listed_all() { listed_all_ = true; }
  /// Before the daemon has told everything, and said of each where it is or that it does not know, there is no view: it
  /// would lack peers that are there.
  std::optional<std::vector<std::string>> addresses() const;

 private:
  struct instance {
    bool asked = true;
    /// It was there when browsing began.
    bool early = true;
    std::optional<std::string> address;
  };
  void count(const std::optional<std::string>& address, int by);

  std::map<mdns_key, instance> instances_;
  /// Instances by the host that they lead to.
  std::map<std::string, std::size_t> of_host_;
  bool listed_all_ = false;
};

} // namespace troupe

// What nodes announce by mDNS, and which announcements of others are seen. Pure.
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

/// Content of the TXT record, for operators and their tools. A node that dials learns all of it from the handshake and
/// trusts only that.
struct mdns_identity {
  raft::node_id node;
  std::uint64_t incarnation = 0;
  std::uint32_t protocol = 0;
  raft::membership_state state = raft::membership_state::fresh;
  raft::cluster_id cluster;
  /// The port on which the node accepts connections.
  std::uint16_t port = 0;
  friend bool operator==(const mdns_identity&, const mdns_identity&) = default;
};
/// The identity as key=value lines (RFC 6763).
std::vector<std::string> txt_of(const mdns_identity& identity);
/// The name of the service instance, unique for each node.
std::string instance_of(const mdns_identity& identity);
/// Whether a node may have this name: the one above, or Avahi's alternative if that is taken ("... #2").
bool is_instance_name(std::string_view name);

/// One service instance as seen on one interface and with one protocol.
struct mdns_key {
  int interface = 0;
  int protocol = 0;
  std::string name;
  std::string domain;
  auto tie() const { return std::tie(interface, protocol, name, domain); }
  friend bool operator<(const mdns_key& a, const mdns_key& b) { return a.tie() < b.tie(); }
};

/// host:port for an address in text form; a link-local IPv6 address gets its interface. Empty if it cannot be dialed.
std::optional<std::string> mdns_address(const std::string& address, std::uint16_t port, int interface);

/// All announced instances and their addresses. Any host in the network can announce any number of names, so everything
/// is bounded. Names that no node has are ignored. Only a few instances per host count. If there is no space left, an
/// instance without an address is evicted. An instance that is not resolved yet does not delay the view, unless it
/// existed from the beginning.
class mdns_view {
 public:
  /// Each needs a resolver in the daemon, which allows a client at most 1024.
  static constexpr std::size_t max_instances = 512;
  /// Enough for several nodes with several interfaces and protocols each.
  static constexpr std::size_t max_per_host = 32;

  /// To call before `appeared`: the instance to remove so that there is space for this one, if needed.
  std::optional<mdns_key> to_evict_for(const mdns_key& key) const;
  /// Adds an instance. False if it is known, if no node can have announced it, or if there are too many.
  bool appeared(const mdns_key& key);
  void vanished(const mdns_key& key);
  /// Sets the address of an instance. Empty if it has none for now, or if it is this node itself.
  void resolved(const mdns_key& key, std::optional<std::string> address);
  /// All instances that existed when browsing began have been announced.
  void listed_all() { listed_all_ = true; }
  /// All addresses. Empty until the daemon has announced all initial instances and resolved each one or failed to:
  /// until then, existing peers could be missing.
  std::optional<std::vector<std::string>> addresses() const;

 private:
  struct instance {
    bool asked = true;
    /// Whether it existed when browsing began.
    bool initial = true;
    std::optional<std::string> address;
  };
  void count(const std::optional<std::string>& address, int by);

  std::map<mdns_key, instance> instances_;
  /// Number of instances by host.
  std::map<std::string, std::size_t> per_host_;
  bool listed_all_ = false;
};

} // namespace troupe
